import type { Id } from '../jmap/scalars.ts';
import type { FreshEmail } from './email-edits.ts';
import { idOfServer, messageIdHash } from './ids.ts';
import { type Ancestry, ancestryOf, byArrival, namedIn, provisionalThreadOf, threadOf } from './threads.ts';
import type { CatalogView } from './view.ts';

/**
 * The thread of each Email that comes into the catalog, and the Message-IDs that are known by it from now on: the server's
 * thread where it names one, else the derived one. While mailboxes are missing, derived threads are provisional.
 */
export async function freshThreads(
  view: CatalogView,
  fresh: readonly FreshEmail[],
): Promise<{ readonly threads: ReadonlyMap<Id, Id>; readonly messageIds: ReadonlyMap<string, Id> }> {
  const threads = new Map<Id, Id>();
  const derived: { readonly email: FreshEmail; readonly ancestry: Ancestry }[] = [];
  const hashOf = hashesOnce();
  for (const email of fresh) {
    const { serverThreadId } = email.appearance;
    if (view.threads === 'server' && serverThreadId !== null) threads.set(email.id, idOfServer(serverThreadId));
    else derived.push({ email, ancestry: ancestryOf(email.appearance, hashOf) });
  }
  if (view.provisional && view.threads === 'derived') {
    for (const { email, ancestry } of derived) threads.set(email.id, provisionalThreadOf(ancestry, email.id));
    return { threads, messageIds: new Map() };
  }

  const hashes = derived.flatMap(({ ancestry }) => [
    ...namedIn(ancestry),
    ...(ancestry.own === null ? [] : [ancestry.own]),
  ]);
  const known = hashes.length === 0 ? new Map<string, Id>() : await view.threadsByMessageId(new Set(hashes));
  const messageIds = new Map<string, Id>();
  for (const { email, ancestry } of derived.sort((a, b) => byArrival(a.email, b.email))) {
    const threadId = threadOf(ancestry, email.id, (hash) => messageIds.get(hash) ?? known.get(hash));
    threads.set(email.id, threadId);
    const { own } = ancestry;
    if (own !== null && !known.has(own) && !messageIds.has(own)) messageIds.set(own, threadId);
  }
  return { threads, messageIds };
}

/** `messageIdHash`, each computed once: answers name the same messages again and again. */
function hashesOnce(): typeof messageIdHash {
  const hashes = new Map<string, string>();
  return (messageId) => {
    const hash = hashes.get(messageId) ?? messageIdHash(messageId);
    hashes.set(messageId, hash);
    return hash;
  };
}
