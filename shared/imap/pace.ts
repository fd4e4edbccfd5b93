import { imapLimits } from './limits.ts';

/** What a FETCH should take, about. */
const secondsPerCommand = 0.5;
/** Messages of the first FETCH, when nothing is known of the server, and at least. */
const messagesAtFirst = 200;
const messagesMin = 50;
/** Answers by which the server is judged. */
const answersRemembered = 4;

/**
 * How many messages a FETCH of what identity needs should ask for: as many as the server tells of in about half a second. What was asked for
 * has to be waited for, also when the time of the request is up. With more, a request to a slow server could not be answered in time, and an
 * account would never be indexed.
 */
export class Pace {
  readonly #now: () => number;
  /** When so many messages had been told of, in milliseconds; the oldest first. */
  readonly #told: { readonly at: number; readonly messages: number }[];

  /** Begins when the first command is sent. `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#told = [{ at: now(), messages: 0 }];
  }

  /** So many more have been told of. */
  told(messages: number): void {
    this.#told.push({ at: this.#now(), messages: messages + (this.#told.at(-1)?.messages ?? 0) });
    if (this.#told.length > 1 + answersRemembered) this.#told.shift();
  }

  /** Messages for the next command. */
  next(): number {
    const [first, last] = [this.#told[0], this.#told.at(-1)];
    if (first === undefined || last === undefined || first === last) return messagesAtFirst;
    const perMs = (last.messages - first.messages) / Math.max(1, last.at - first.at);
    const messages = Math.round(perMs * secondsPerCommand * 1000);
    return Math.min(imapLimits.appearancesPerCommand, Math.max(messagesMin, messages));
  }
}
