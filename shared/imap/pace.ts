import { imapLimits } from './limits.ts';

/** What is asked for and has not come yet should take so long, about. */
const secondsAhead = 0.5;
/** Messages of that when nothing is known of the server, and at least. */
const messagesAtFirst = 200;
const messagesMin = 100;
/** Answers by which the server is judged. */
const answersRemembered = 4;

/**
 * How many messages the FETCHes of what identity needs should ask for: as many as the server tells of in about half a second, by at least two
 * commands, so that it need not wait between them. What was asked for has to be waited for, also when the time of the request is up. With more,
 * a request to a slow server could not be answered in time, and an account would never be indexed.
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
    return Math.min(imapLimits.appearancesPerCommand, Math.floor(this.inAll() / 2));
  }

  /** Messages that may be asked for and not told of yet. */
  inAll(): number {
    const [first, last] = [this.#told[0], this.#told.at(-1)];
    if (first === undefined || last === undefined || first === last) return messagesAtFirst;
    const perMs = (last.messages - first.messages) / Math.max(1, last.at - first.at);
    return Math.max(messagesMin, Math.round(perMs * secondsAhead * 1000));
  }
}
