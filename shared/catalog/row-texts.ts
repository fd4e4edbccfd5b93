import { prefixOfServerId, putThreadId, putThreadIdOfOctets } from './ids.ts';
import { type AppearanceColumns, type RowText, rowTexts } from './source.ts';
import { type Names, RememberedTexts, type Texts } from './texts.ts';
import { type Ancestry, inReplyToMax, keptReferences, messageIdSpans } from './threads.ts';

/** The thread of a message whose server names none. */
export const noThread = -1;

/** Message-IDs of one field that are read from its octets. */
const spansMax = 64;

/**
 * Reads ids and Message-IDs from the octets of rows, as they are nearly always written. Where it gives null they have to be read from
 * the texts, which comes to the same.
 */
export class RowTextReader {
  readonly #texts: Texts;
  readonly #names: Names;
  readonly #remembered: RememberedTexts;
  readonly #spans = new Uint32Array(2 * spansMax);
  /** The Message-ID that was read last. */
  readonly #last = { from: 0, to: 0, name: 0 };

  constructor(texts: Texts, names: Names) {
    this.#texts = texts;
    this.#names = names;
    this.#remembered = new RememberedTexts((octets, from, to) =>
      names.numberOfOctets(threadId, 0, putThreadIdOfOctets(octets, from, to, threadId)),
    );
  }

  /** The number of the Email id that is made of the server's. */
  idOfServer({ octets, ends }: AppearanceColumns, row: number): number | null {
    const text = row * rowTexts.length + idPlace;
    const [from, to] = [ends[text] as number, ends[text + 1] as number];
    const prefix = prefixOfServerId(octets, from, to);
    return prefix === null ? null : this.#texts.addOctets(octets, from, to, prefix);
  }

  /** The number of the thread id that is made of the server's; `noThread`, where it names none. */
  threadOfServer({ octets, ends }: AppearanceColumns, row: number): number | null {
    const text = row * rowTexts.length + threadPlace;
    const [from, to] = [ends[text] as number, ends[text + 1] as number];
    if (from === to) return noThread;
    const prefix = prefixOfServerId(octets, from, to);
    if (prefix === '') return this.#names.numberOfOctets(octets, from, to);
    return prefix === null ? null : this.#names.numberOf(prefix + octets.toString('latin1', from, to));
  }

  /** Message-IDs as numbers of the ids of the threads that they begin. */
  ancestry(columns: AppearanceColumns, row: number): Ancestry<number> | null {
    const first = row * rowTexts.length;
    this.#last.to = this.#last.from;
    const own = this.#messageIdsIn(columns, first + messageIdPlace, 1);
    const references = this.#messageIdsIn(columns, first + referencesPlace, spansMax);
    const inReplyTo = this.#messageIdsIn(columns, first + inReplyToPlace, inReplyToMax);
    if (own === null || references === null || inReplyTo === null) return null;
    return { own: own[0] ?? null, references: keptReferences(withoutDuplicates(references)), inReplyTo };
  }

  #messageIdsIn({ octets, ends }: AppearanceColumns, text: number, max: number): readonly number[] | null {
    const [start, end] = [ends[text] as number, ends[text + 1] as number];
    if (start === end) return none;
    const count = messageIdSpans(octets, start, end, this.#spans);
    if (count < 0) return null;
    const found = new Array<number>(Math.min(count, max));
    for (let at = 0; at < found.length; at++) {
      found[at] = this.#nameAt(octets, this.#spans[2 * at] as number, this.#spans[2 * at + 1] as number);
    }
    return found;
  }

  #nameAt(octets: Buffer, from: number, to: number): number {
    const last = this.#last;
    // In-Reply-To mostly names what References end with.
    if (isSame(octets, last.from, last.to, from, to)) return last.name;
    // Answers name again what came shortly before.
    last.name = this.#remembered.recall(octets, from, to);
    last.from = from;
    last.to = to;
    return last.name;
  }
}

const none: readonly number[] = [];

/** A Message-ID as the number of the id of the thread that it begins. */
export function nameOfMessageId(names: Names, messageId: string): number {
  return names.numberOfOctets(threadId, 0, putThreadId(messageId, threadId));
}

const threadId = new Uint8Array(32);

function isSame(octets: Uint8Array, from: number, to: number, otherFrom: number, otherTo: number): boolean {
  if (to - from !== otherTo - otherFrom) return false;
  for (let at = 0; at < to - from; at++) if (octets[from + at] !== octets[otherFrom + at]) return false;
  return true;
}

/** As a `Set` has them, of which few are worth making one. */
function withoutDuplicates(numbers: readonly number[]): readonly number[] {
  const isFirst = (number: number, at: number) => numbers.indexOf(number) === at;
  return numbers.every(isFirst) ? numbers : numbers.filter(isFirst);
}

const [idPlace, threadPlace, messageIdPlace, referencesPlace, inReplyToPlace] = (
  ['serverEmailId', 'serverThreadId', 'messageId', 'references', 'inReplyTo'] as const
).map((text: RowText) => rowTexts.indexOf(text)) as [number, number, number, number, number];
