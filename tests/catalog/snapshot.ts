import { changesSince, stateOf } from '../../shared/catalog/changes.ts';
import type { Email } from '../../shared/catalog/email.ts';
import { existsInJmap, keywordsOf, mailboxesOf } from '../../shared/catalog/keywords.ts';
import { rowsIn } from '../../shared/catalog/read-mailbox.ts';
import { mailboxPlaces } from '../../shared/catalog/roles.ts';
import type { CatalogView, ChangingType } from '../../shared/catalog/view.ts';
import type { Id, State } from '../../shared/jmap/scalars.ts';

export const changingTypes: readonly ChangingType[] = ['Email', 'Thread', 'Mailbox'];

/** Everything that a client can see of one version: each record in a form that is equal when the record is. */
export type Snapshot = {
  readonly epoch: string;
  readonly states: Readonly<Record<ChangingType, State>>;
  readonly versions: Readonly<Record<ChangingType, number>>;
  readonly records: Readonly<Record<ChangingType, ReadonlyMap<Id, string>>>;
};

export async function snapshotOf(view: CatalogView): Promise<Snapshot> {
  const entries = await view.mailboxes();
  const idOf = (key: number) => entries.get(key)?.id ?? 'none';
  const emails = new Map<Id, string>();
  const members = new Map<Id, Email[]>();
  for (const email of (await allEmails(view)).values()) {
    if (!existsInJmap(email)) continue;
    const { threadId, receivedAt, size } = email;
    const mailboxIds = mailboxesOf(email).map(idOf).sort();
    emails.set(email.id, JSON.stringify({ mailboxIds, keywords: keywordsOf(email), threadId, receivedAt, size }));
    members.set(threadId, [...(members.get(threadId) ?? []), email]);
  }
  const threads = new Map<Id, string>();
  for (const [id, list] of members) {
    threads.set(
      id,
      list
        .map((email) => `${email.receivedAt} ${email.id}`)
        .sort()
        .join(),
    );
  }
  const places = mailboxPlaces(entries.values());
  const mailboxes = new Map(
    [...entries.values()].map(({ key, id, subscribed, counts }) => [
      id,
      JSON.stringify({ ...places.get(key), subscribed, counts }),
    ]),
  );
  return {
    epoch: view.epoch,
    states: { Email: stateOf(view, 'Email'), Thread: stateOf(view, 'Thread'), Mailbox: stateOf(view, 'Mailbox') },
    versions: view.versions,
    records: { Email: emails, Thread: threads, Mailbox: mailboxes },
  };
}

/** Every Email of the catalog, those that do not exist for JMAP too. */
export async function allEmails(view: CatalogView): Promise<ReadonlyMap<Id, Email>> {
  const ids = new Set<Id>();
  for (const key of (await view.mailboxes()).keys()) for await (const row of rowsIn(view, key)) ids.add(row.emailId);
  return view.emails(ids);
}

/**
 * Follows /changes from an old snapshot to the view in steps of `maxChanges`, as a client does, and throws when it does not end up
 * with exactly what the view holds: something left out, called created though it was there, called destroyed twice …
 */
export async function followChanges(
  view: CatalogView,
  now: Snapshot,
  old: Snapshot,
  type: ChangingType,
  maxChanges: number | null,
): Promise<void> {
  const held = new Map(old.records[type]);
  const target = now.records[type];
  const spoken = new Set<Id>();
  let state: string = old.states[type];
  let countsOnly = true;
  const fail = (what: string): never => {
    throw new Error(`${type}/changes from ${old.states[type]} by ${maxChanges}: ${what}`);
  };
  for (let hasMore = true; hasMore; ) {
    const answer = await changesSince(view, type, state, maxChanges);
    if (!answer.ok) return fail(`refused with ${JSON.stringify(answer.error)}`);
    const { created, updated, destroyed, newState, hasMoreChanges, updatedProperties } = answer.value;
    const ids = [...created, ...updated, ...destroyed];
    if (maxChanges !== null && ids.length > maxChanges) fail(`${ids.length} ids`);
    if (hasMoreChanges && (newState === state || ids.length === 0)) fail('no progress');
    for (const id of ids) if (spoken.has(id)) fail(`tells of ${id} twice`);
    for (const id of ids) spoken.add(id);
    for (const id of created) if (old.records[type].has(id)) fail(`${id} was not created`);
    for (const id of [...updated, ...destroyed]) if (!old.records[type].has(id)) fail(`${id} was not there before`);
    for (const id of destroyed) held.delete(id);
    for (const id of [...created, ...updated]) held.set(id, target.get(id) ?? fail(`${id} is not there now`));
    countsOnly &&= updatedProperties != null;
    state = newState;
    hasMore = hasMoreChanges;
  }
  if (state !== now.states[type]) fail(`ends in ${state} instead of ${now.states[type]}`);
  for (const id of target.keys()) if (held.get(id) !== target.get(id)) fail(`says nothing of ${id}`);
  for (const id of held.keys()) if (!target.has(id)) fail(`does not say that ${id} is gone`);
  if (spoken.size > 0 && countsOnly) onlyCountsDiffer(old.records[type], target, fail);
}

function onlyCountsDiffer(
  old: ReadonlyMap<Id, string>,
  now: ReadonlyMap<Id, string>,
  fail: (what: string) => never,
): void {
  const withoutCounts = (record: string | undefined) => record?.replace(/"counts":\{.*?\}/, '');
  for (const [id, record] of now)
    if (withoutCounts(old.get(id)) !== withoutCounts(record)) fail(`more than counts of ${id} changed`);
}
