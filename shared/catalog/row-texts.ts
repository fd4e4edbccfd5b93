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
export type RowTextReader = {
  /** The number of the Email id that is made of the server's. */
  readonly idOfServer: (columns: AppearanceColumns, row: number) => number | null;
  /** The number of the thread id that is made of the server's; `noThread`, where it names none. */
  readonly threadOfServer: (columns: AppearanceColumns, row: number) => number | null;
  /** Message-IDs as numbers of the ids of the threads that they begin. */
  readonly ancestry: (columns: AppearanceColumns, row: number) => Ancestry<number> | null;
};

export function rowTextReader(texts: Texts, names: Names): RowTextReader {
  const remembered = new RememberedTexts((octets, from, to) =>
    names.numberOfOctets(threadId, 0, putThreadIdOfOctets(octets, from, to, threadId)),
  );
  const spans = new Uint32Array(2 * spansMax);
  /** The Message-ID that was read last. */
  const last = { from: 0, to: 0, name: 0 };

  const nameAt = (octets: Buffer, from: number, to: number): number => {
    // In-Reply-To mostly names what References end with.
    if (isSame(octets, last.from, last.to, from, to)) return last.name;
    // Answers name again what came shortly before.
    last.name = remembered.recall(octets, from, to);
    last.from = from;
    last.to = to;
    return last.name;
  };
  const messageIdsIn = ({ octets, ends }: AppearanceColumns, text: number, max: number): number[] | null => {
    const [start, end] = [ends[text] as number, ends[text + 1] as number];
    if (start === end) return [];
    const count = messageIdSpans(octets, start, end, spans);
    if (count < 0) return null;
    const found: number[] = [];
    for (let at = 0; at < Math.min(count, max); at++) {
      found.push(nameAt(octets, spans[2 * at] as number, spans[2 * at + 1] as number));
    }
    return found;
  };

  return {
    idOfServer: ({ octets, ends }, row) => {
      const text = row * rowTexts.length + idPlace;
      const [from, to] = [ends[text] as number, ends[text + 1] as number];
      const prefix = prefixOfServerId(octets, from, to);
      return prefix === null ? null : texts.addOctets(octets, from, to, prefix);
    },
    threadOfServer: ({ octets, ends }, row) => {
      const text = row * rowTexts.length + threadPlace;
      const [from, to] = [ends[text] as number, ends[text + 1] as number];
      if (from === to) return noThread;
      const prefix = prefixOfServerId(octets, from, to);
      if (prefix === '') return names.numberOfOctets(octets, from, to);
      return prefix === null ? null : names.numberOf(prefix + octets.toString('latin1', from, to));
    },
    ancestry: (columns, row) => {
      const first = row * rowTexts.length;
      last.to = last.from;
      const own = messageIdsIn(columns, first + messageIdPlace, 1);
      const references = messageIdsIn(columns, first + referencesPlace, spansMax);
      const inReplyTo = messageIdsIn(columns, first + inReplyToPlace, inReplyToMax);
      if (own === null || references === null || inReplyTo === null) return null;
      return { own: own[0] ?? null, references: keptReferences(withoutDuplicates(references)), inReplyTo };
    },
  };
}

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
