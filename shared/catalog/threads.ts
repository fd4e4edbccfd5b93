import type { Id } from '../jmap/scalars.ts';
import { lonelyThreadId, rootOf, threadIdOf } from './ids.ts';

/** The Message-IDs that a message names, as hashes or whatever tells them apart. */
export type Ancestry<Hash = string> = {
  /** Its own; null when the field is missing. */
  readonly own: Hash | null;
  /** References, oldest first, without duplicates. */
  readonly references: readonly Hash[];
  readonly inReplyTo: readonly Hash[];
};

export const noAncestry: Ancestry<never> = { own: null, references: [], inReplyTo: [] };

/** Of longer lists the oldest reference and the newest are looked at. */
const referencesMax = 10;
export const inReplyToMax = 2;

/**
 * Reads the raw, unfolded values of MESSAGE-ID, REFERENCES and IN-REPLY-TO. Comments and phrases between the ids are passed over.
 * `hashOf` is `messageIdHash`, perhaps one that remembers.
 */
export function ancestryOf<Hash>(
  fields: { messageId: string; references: string; inReplyTo: string },
  hashOf: (messageId: string) => Hash,
): Ancestry<Hash> {
  const [own = fields.messageId.trim()] = messageIdsIn(fields.messageId);
  const references = fields.references === '' ? [] : [...new Set(messageIdsIn(fields.references))];
  return {
    own: own === '' ? null : hashOf(own),
    references: keptReferences(references).map(hashOf),
    inReplyTo: messageIdsIn(fields.inReplyTo).slice(0, inReplyToMax).map(hashOf),
  };
}

/** Of References without duplicates, those that are looked at. */
export function keptReferences<T>(references: readonly T[]): readonly T[] {
  if (references.length <= referencesMax) return references;
  return [...references.slice(0, 1), ...references.slice(1 - referencesMax)];
}

/** Every hash whose thread may decide the message's own. */
export function namedIn<Hash>({ references, inReplyTo }: Ancestry<Hash>): readonly Hash[] {
  return [...references, ...inReplyTo];
}

/**
 * The derived thread of a message: the thread of the nearest message it references that is known (References from the end,
 * then In-Reply-To); else the one named by the oldest reference; else its own. Messages whose References are complete meet
 * in the thread of their root in whatever order they arrive.
 */
export function threadOf(ancestry: Ancestry, emailId: Id, known: (hash: string) => Id | undefined): Id {
  return threadAmong(ancestry, known, (root) => (root === null ? lonelyThreadId(emailId) : threadIdOf(root)));
}

/** The same, whatever stands for hashes and threads. `begunBy`: the thread of a root; null: of the message alone. */
export function threadAmong<Hash, Thread>(
  { own, references, inReplyTo }: Ancestry<Hash>,
  known: (hash: Hash) => Thread | undefined,
  begunBy: (root: Hash | null) => Thread,
): Thread {
  for (let at = references.length - 1; at >= 0; at--) {
    const thread = known(references[at] as Hash);
    if (thread !== undefined) return thread;
  }
  for (const hash of inReplyTo) {
    const thread = known(hash);
    if (thread !== undefined) return thread;
  }
  return begunBy(references[0] ?? inReplyTo[0] ?? own);
}

/**
 * The thread of a message while some mailboxes are still missing: it holds the ancestry itself, so that whoever brings in the
 * last mailbox can assign all threads at once without asking the server again. It starts with `_`, as no other id does.
 */
export function provisionalThreadOf(ancestry: Ancestry, emailId: Id): Id {
  if (namedIn(ancestry).length === 0) return threadOf(ancestry, emailId, () => undefined);
  return `${provisionalMark}${ancestry.own ?? ''}-${ancestry.references.join('')}-${ancestry.inReplyTo.join('')}` as Id;
}

/** The ancestry of the messages of a provisional thread, or of a derived one that names nobody else; null for other threads. */
export function ancestryIn(threadId: Id): Ancestry | null {
  const root = rootOf(threadId);
  if (root !== null) return { own: root, references: [], inReplyTo: [] };
  if (!isProvisional(threadId)) return null;
  const [own = '', references = '', inReplyTo = ''] = threadId.slice(1).split('-');
  return { own: own === '' ? null : own, references: hashesIn(references), inReplyTo: hashesIn(inReplyTo) };
}

/** Whether `provisionalThreadOf` made it and the real one is still to be found. */
export function isProvisional(threadId: Id): boolean {
  return threadId.startsWith(provisionalMark);
}

/** What the ids of provisional threads begin with. */
export const provisionalMark = '_';

/**
 * Threads of all messages of an account in one pass, in (receivedAt, emailId) order: the outcome does not depend on the order
 * in which mailboxes were read. Gives the thread of each provisional one by Email id, and the thread of each Message-ID hash.
 */
export function assignThreads(
  emails: readonly { readonly id: Id; readonly threadId: Id; readonly receivedAt: number }[],
): { readonly threads: ReadonlyMap<Id, Id>; readonly messageIds: ReadonlyMap<string, Id> } {
  const threads = new Map<Id, Id>();
  const messageIds = new Map<string, Id>();
  for (const { id, threadId: given } of emails.toSorted(byArrival)) {
    const ancestry = ancestryIn(given);
    if (ancestry === null) continue;
    const threadId = threadOf(ancestry, id, (hash) => messageIds.get(hash));
    if (isProvisional(given)) threads.set(id, threadId);
    if (ancestry.own !== null && !messageIds.has(ancestry.own)) messageIds.set(ancestry.own, threadId);
  }
  return { threads, messageIds };
}

/** The order in which messages take part in threads. */
export function byArrival(
  a: { readonly id: Id; readonly receivedAt: number },
  b: { readonly id: Id; readonly receivedAt: number },
): number {
  return a.receivedAt - b.receivedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** `<id>` tokens, without their brackets; whole words where a broken client left the brackets out. */
function messageIdsIn(value: string): string[] {
  if (value === '') return [];
  const bracketed: string[] = [];
  for (let end = value.indexOf('>'); end >= 0; end = value.indexOf('>', end + 1)) {
    const id = value.slice(value.lastIndexOf('<', end) + 1, end);
    if (value[end - id.length - 1] === '<' && id !== '' && !/[\s>]/.test(id)) bracketed.push(id);
  }
  return bracketed.length > 0 ? bracketed : value.split(/\s+/).filter((word) => word.includes('@'));
}

/**
 * The same in octets of ASCII that may be folded, as it is nearly always written: where each id starts and ends is put into `spans`. Gives
 * how many there are; −1: more than fit, or none although something is there, which is for `ancestryOf` to see.
 */
export function messageIdSpans(octets: Uint8Array, from: number, to: number, spans: Uint32Array): number {
  let count = 0;
  let start = -1;
  let isBlank = true;
  for (let at = from; at < to; at++) {
    const octet = octets[at] as number;
    if (octet === 0x3c) {
      start = at + 1;
    } else if (octet === 0x3e) {
      if (start >= 0 && start < at) {
        if (2 * count === spans.length) return -1;
        spans[2 * count] = start;
        spans[2 * count + 1] = at;
        count += 1;
      }
      start = -1;
    } else if (octet === 0x20 || (octet >= 0x09 && octet <= 0x0d)) {
      start = -1;
      continue;
    }
    isBlank = false;
  }
  return count > 0 || isBlank ? count : -1;
}

function hashesIn(text: string): string[] {
  return text.match(/.{16}/g) ?? [];
}
