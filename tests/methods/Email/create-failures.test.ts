import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown, Unavailable } from '../../../shared/jmap/errors.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { failingPorts } from '../../in-memory/failing-ports.ts';
import { type AccountOptions, newEmailsAccount } from './new-emails.ts';

type Fault = { readonly port: 'mail' | 'store'; readonly n: number; readonly when: 'before' | 'after' };

/**
 * Creates two Emails, one of them in two mailboxes, while one call of a port fails. Answers whether anything failed. What a client is
 * told has to be so, and nothing may lie anywhere twice.
 */
async function createWith(options: AccountOptions, fault: Fault): Promise<boolean> {
  const failing = failingPorts();
  const account = newEmailsAccount({ ...options, wrap: failing.wrap });
  const { state = null } = await account.call('get', { ids: [] });
  const [both, one] = [await account.mailboxIds('One', 'Two'), await account.mailboxIds('One')];
  const keywords = { $flagged: true };
  const create = {
    a: { mailboxIds: both, keywords, subject: 'first', messageId: ['a@x'] },
    b: { mailboxIds: one, keywords, subject: 'second', messageId: ['b@x'] },
  };
  const callsBefore = failing.calls();
  if (fault.port === 'mail') failing.failCall(fault.n);
  else account.store.failCall(fault.n, fault.when);
  const answer = await account.call('set', { create }).catch((error: unknown) => {
    if (!(error instanceof Unavailable)) throw error;
    return error;
  });
  const hasFailed =
    fault.port === 'mail' ? failing.calls() - callsBefore >= fault.n : account.store.callsUntilFailure() === null;
  failing.failCall(Number.POSITIVE_INFINITY);
  account.store.failCall(Number.POSITIVE_INFINITY, 'before');
  account.advanceClock(60_000);

  const lying = (mailbox: string, messageId: string) =>
    account.mail
      .messages(mailbox)
      .filter(({ content, flags }) => content.messageId === `<${messageId}>` && !flags.has('\\Deleted')).length;
  const places = { a: [lying('One', 'a@x'), lying('Two', 'a@x')], b: [lying('One', 'b@x')] };
  for (const counts of Object.values(places)) for (const count of counts) expect(count).toBeLessThanOrEqual(1);
  const seen = await account.call('get', { ids: null, properties: ['messageId', 'mailboxIds', 'keywords'] });
  const list = seen.list as (JsonObject & { messageId: string[] })[];

  if (answer instanceof Unavailable) {
    // Nothing was done, unless it says that nobody knows.
    if (!(answer instanceof OutcomeUnknown))
      expect({ fault, places }).toEqual({ fault, places: { a: [0, 0], b: [0] } });
    return hasFailed;
  }
  for (const name of ['a', 'b'] as const) {
    const created = (answer.created as { [name: string]: JsonObject } | null)?.[name];
    const isCreated = created !== undefined;
    expect({ fault, name, counts: places[name], error: answer.notCreated ?? null }).toEqual({
      fault,
      name,
      error: answer.notCreated ?? null,
      counts: places[name].map(() => (isCreated ? 1 : 0)),
    });
    if (!isCreated) continue;
    expect(list).toContainEqual({
      ...{ id: created?.id, messageId: [`${name}@x`], keywords },
      mailboxIds: name === 'a' ? both : one,
    });
  }
  const { created = [], hasMoreChanges } = await account.call('changes', { sinceState: state });
  const ids = Object.values((answer.created ?? {}) as { [name: string]: JsonObject }).map(({ id }) => id);
  expect({ created: new Set(created as string[]), hasMoreChanges }).toEqual({
    created: new Set(ids),
    hasMoreChanges: false,
  });
  return hasFailed;
}

describe.each<[string, AccountOptions]>([
  ['QRESYNC and UIDPLUS', {}],
  ['digests and no UIDPLUS', { scheme: 'digest', uidPlus: false }],
  ['no mod-sequences', { tier: 'plain', scheme: 'objectid', threads: 'server' }],
])('on a server with %s', (_, options) => {
  test.each<[string, Pick<Fault, 'port' | 'when'>]>([
    ['the mail server', { port: 'mail', when: 'before' }],
    ['the store before it does anything', { port: 'store', when: 'before' }],
    ['the store after it has done it', { port: 'store', when: 'after' }],
  ])('each call of %s may fail: what is answered is so, and nothing lies twice', async (__, fault) => {
    let n = 1;
    while (await createWith(options, { ...fault, n })) n++;
    expect(n).toBeGreaterThan(3);
  });
});
