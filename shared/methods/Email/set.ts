// Email/set (RFC 8621 §4.6)
import { stateOf } from '../../catalog/changes.ts';
import type { MailboxKey } from '../../catalog/email.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { SetPort } from '../../jmap/standard/set.ts';
import type { Revision, Step } from '../../jmap/verbs.ts';
import { type CreatePorts, createEmails } from './create.ts';
import { fulfil } from './fulfil.ts';
import { canGetEmails, plainArguments } from './get.ts';
import { keywordsPerEmailMax, mailboxesPerEmailMax } from './limits.ts';
import type { EmailPorts, EmailRecord } from './record.ts';
import type { Wish } from './wish.ts';

/** What Email/set needs of the world. */
export type EmailSetPorts = EmailPorts & CreatePorts;

/** Each step starts from the version that the one before left, the first from what is there when the call begins. */
export function canSetEmails(ports: EmailSetPorts): SetPort<EmailRecord, unknown, false> {
  let known: CatalogView | null = null;
  const latest = async (): Promise<CatalogView> => {
    known ??= await ports.catalog.view('now');
    return known;
  };
  const step = async (
    view: CatalogView,
    wishes: ReadonlyMap<Id, Wish>,
    refused: ReadonlyMap<Id, Result<null, SetError>> = new Map(),
  ): Promise<Step<Id, null>> => {
    const { before, after, latest, outcomes } = await fulfil(wishes, view, ports);
    known = latest;
    return {
      oldState: stateOf(before, 'Email'),
      newState: stateOf(after, 'Email'),
      results: new Map([...refused, ...outcomes]),
    };
  };

  return {
    latestState: async () => {
      known = await ports.catalog.view('now');
      return stateOf(known, 'Email');
    },
    current: async (ids, properties) => {
      const request = { ids, properties: [...new Set(['id', ...properties])], args: plainArguments };
      const got = await canGetEmails(ports).get({ ...request, maxObjects: ids.length });
      return new Map(got.ok ? got.value.list.map((email) => [email.id, email]) : []);
    },
    create: async (records) => {
      const created = await createEmails(records, await latest(), ports);
      known = created.latest;
      const [oldState, newState] = [stateOf(created.before, 'Email'), stateOf(created.after, 'Email')];
      return { oldState, newState, results: created.results };
    },
    update: async (revisions) => {
      const view = await latest();
      const keys = await selectableMailboxes(view);
      const wishes = new Map<Id, Wish>();
      const refused = new Map<Id, Result<null, SetError>>();
      for (const [id, revision] of revisions) {
        const wish = wishOf(revision, keys);
        if (wish.ok) wishes.set(id, wish.value);
        else refused.set(id, wish);
      }
      return step(view, wishes, refused);
    },
    destroy: async (ids) => step(await latest(), new Map(ids.map((id) => [id, gone]))),
  };
}

const gone: Wish = { enter: [], leave: 'all', set: [], unset: [] };

/** Destroys Emails as far as it can be done. Throws `Unavailable`. */
export async function destroyEmails(
  ids: readonly Id[],
  ports: Pick<EmailSetPorts, 'catalog' | 'writing'>,
): Promise<void> {
  await fulfil(new Map(ids.map((id) => [id, gone])), await ports.catalog.view('now'), ports);
}

async function selectableMailboxes(view: CatalogView): Promise<ReadonlyMap<string, MailboxKey>> {
  const entries = [...(await view.mailboxes()).values()].filter(({ selectable }) => selectable);
  return new Map(entries.map(({ id, key }) => [id, key]));
}

/** What the revision makes different. */
function wishOf(
  { before, after, whole }: Revision<EmailRecord>,
  keys: ReadonlyMap<string, MailboxKey>,
): Result<Wish, SetError> {
  const mailboxes = differenceOf(before.mailboxIds, after.mailboxIds);
  const keywords = differenceOf(before.keywords, after.keywords);
  const unknown = mailboxes.added.filter((id) => !keys.has(id));
  if (unknown.length > 0) return invalidMailboxIds(`no mailbox for Emails is "${unknown.join('", "')}"`);
  if (after.mailboxIds) {
    const count = Object.keys(after.mailboxIds).length;
    if (count === 0) return invalidMailboxIds('an Email has to be in a mailbox');
    if (count > mailboxesPerEmailMax) {
      return refuse({ type: 'tooManyMailboxes', description: `more than ${mailboxesPerEmailMax} mailboxes` });
    }
  }
  if (after.keywords && Object.keys(after.keywords).length > keywordsPerEmailMax) {
    return refuse({ type: 'tooManyKeywords', description: `more than ${keywordsPerEmailMax} keywords` });
  }
  const keysOf = (ids: readonly string[]) => ids.flatMap((id) => keys.get(id) ?? []);
  const only = after.mailboxIds && whole.has('mailboxIds') ? keysOf(Object.keys(after.mailboxIds)) : null;
  return ok({
    ...{ enter: only ?? keysOf(mailboxes.added), leave: keysOf(mailboxes.taken) },
    ...{ set: keywords.added, unset: keywords.taken, ...(only && { isWhole: true }) },
  });
}

type Flags = { readonly [name: string]: true };

function differenceOf(before: Flags | undefined, after: Flags | undefined) {
  if (after === undefined) return { added: [], taken: [] };
  const [was, is] = [Object.keys(before ?? {}), Object.keys(after)];
  return { added: is.filter((name) => !was.includes(name)), taken: was.filter((name) => !is.includes(name)) };
}

function invalidMailboxIds(description: string): Result<never, SetError> {
  return refuse({ type: 'invalidProperties', properties: ['mailboxIds'], description });
}
