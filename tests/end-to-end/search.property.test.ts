import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../functions/local/sample-mail/random.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { type Backend, backends, courierBackend, startProduct } from './harness.ts';
import { imapActor } from './imap-actor.ts';
import type { JmapClient, QueryChangesResponse } from './jmap-client.ts';
import { applied } from './mirror.ts';
import {
  anyContent,
  anyFilter,
  type Content,
  type Email,
  type Known,
  markedIn,
  matches,
  messageOf,
  shown,
  type Tree,
  withoutTexts,
} from './search-model.ts';

/** How many filters are asked in how many states of the account, and which: see README.md. */
const filtersInAll = Number(process.env.POSTERN_TEST_SEARCH_FILTERS ?? 40);
const seed = Number(process.env.POSTERN_TEST_SEARCH_SEED ?? 1);
const rounds = 3;
const messagesAtFirst = 24;
const timeoutMs = 60_000 + filtersInAll * 2_000;
const mailboxNames = ['INBOX', 'Work', 'Empty'];

describe.each([...backends, courierBackend])('on $title, any filter', (backend) => {
  test('finds in query, its changes and snippets what the messages say', () => run(backend), timeoutMs);
});

async function run(backend: Backend): Promise<void> {
  const server = await backend.start();
  const user = await server.freshUser();
  const random = seededRandom(seed);
  const actor = await imapActor(server, user);
  const product = startProduct(server, backend, { loginTrustMinutes: 1_000_000 });
  const contents: Content[] = [];
  const deliver = async (content: Content) => {
    const index = contents.push(content) - 1;
    const receivedAt = new Date(Date.UTC(2026, 0, 1) + index * 60_000);
    const flags = random.pick([[], ['\\Seen'], ['\\Seen', '\\Flagged'], ['later']]);
    await actor.deliver(random.pick(['INBOX', 'Work']), messageOf(content, index), { flags, receivedAt });
  };
  try {
    for (const name of mailboxNames.slice(1)) await actor.create(name);
    for (const content of fc.sample(anyContent, { numRuns: messagesAtFirst, seed })) await deliver(content);
    const process = await product.startProcess();
    const client = await process.client(user);
    const { list } = await client.get<{ id: Id; name: string }>('Mailbox', { properties: ['name'] });
    const mailboxIds = list.filter(({ name }) => mailboxNames.includes(name) || name === 'Inbox').map(({ id }) => id);
    const first = await emailsOf(client, contents);
    const times = [...first.map(({ receivedAt }) => receivedAt), '2020-01-01T00:00:00Z'];
    const filters = fc.sample(
      anyFilter(
        mailboxIds,
        times,
        first.map(({ size }) => size),
      ),
      { numRuns: filtersInAll, seed },
    );
    const asked = filters.map((tree) => ({ tree, ids: [] as readonly Id[], queryState: '' }));

    for (let round = 0; round < rounds; round += 1) {
      product.advanceClock(10_000);
      await product.seeAll(client);
      const emails = await emailsOf(client, contents);
      for (const question of asked) {
        const { tree } = question;
        const filter = shown(tree);
        const expected = emails.filter((email) => matches(tree, email, emails)).map(({ id }) => id);
        process.imap.commands.length = 0;
        const now = await client.query('Email', { filter });
        expect({ filter, found: [...now.ids] }).toEqual({ filter, found: expected });
        expectFewCommands(process.imap.commands, tree, emails);

        if (question.queryState !== '') {
          const args = { filter, sinceQueryState: question.queryState };
          const changes = await client.one<QueryChangesResponse>('Email/queryChanges', args);
          expect({ filter, ids: applied(question.ids, changes) }).toEqual({ filter, ids: [...now.ids] });
        }
        Object.assign(question, { ids: now.ids, queryState: now.queryState });
        await expectSnippets(client, tree, emails);
      }
      for (const content of fc.sample(anyContent, { numRuns: 4, seed: seed + round + 1 })) await deliver(content);
      const [inbox, work] = [await actor.uids('INBOX'), await actor.uids('Work')];
      await actor.move('INBOX', [random.pick([...inbox])], 'Work');
      await actor.copy('Work', [random.pick([...work])], 'INBOX');
      await actor.flag('Work', [random.pick([...work])], ['\\Flagged', 'later']);
      await actor.expunge('INBOX', [random.pick([...(await actor.uids('INBOX'))])]);
    }
  } finally {
    await actor.close();
    await product.stop();
  }
}

/** At most one EXAMINE and one SEARCH for each mailbox that holds a candidate; one SEARCH only where no operator keeps texts apart. */
function expectFewCommands(commands: readonly string[], tree: Tree, emails: readonly Email[]): void {
  const candidates =
    tree.operator === undefined ? emails.filter((each) => matches(withoutTexts(tree), each, emails)) : emails;
  const mailboxes = new Set(candidates.flatMap((email) => Object.keys(email.mailboxIds))).size;
  const searches = commands.filter((name) => name === 'UID SEARCH').length;
  const openings = commands.filter((name, at) => name === 'EXAMINE' && commands[at + 1] === 'UID SEARCH').length;
  expect(openings).toBeLessThanOrEqual(mailboxes);
  if (tree.operator === undefined) expect(searches).toBeLessThanOrEqual(mailboxes);
}

/** All Emails, the newest first. */
async function emailsOf(client: JmapClient, contents: readonly Content[]): Promise<Email[]> {
  const number = 'header:X-Number:asText';
  const properties = ['threadId', 'mailboxIds', 'keywords', 'size', 'receivedAt', number];
  const { ids } = await client.query('Email', {});
  const { list } = await client.get<Known & { [number]: string }>('Email', { ids: [...ids], properties });
  const byId = new Map(list.map((email) => [email.id, email]));
  return ids.flatMap((id) => {
    const email = byId.get(id);
    const content = contents[Number(email?.[number])];
    return email && content ? [{ ...email, content }] : [];
  });
}

async function expectSnippets(client: JmapClient, tree: Tree, emails: readonly Email[]) {
  const filter = shown(tree);
  const args = { filter, emailIds: emails.map(({ id }) => id) };
  type Snippet = { emailId: Id; subject: string | null; preview: string | null };
  const { list } = await client.one<{ list: Snippet[] }>('SearchSnippet/get', args);
  const marksIn = (html: string | null) => [...(html ?? '').matchAll(/<mark>(.*?)<\/mark>/g)].map(([, word]) => word);
  const told = list.map(({ emailId, subject, preview }) => ({
    ...{
      filter,
      emailId,
      subject: [...new Set(marksIn(subject))].sort(),
      preview: [...new Set(marksIn(preview))].sort(),
    },
  }));
  const meant = emails.map((email) => ({
    ...{ filter, emailId: email.id },
    subject: markedIn(tree, 'subject', email),
    preview: markedIn(tree, 'body', email),
  }));
  expect(told).toEqual(meant);
}
