import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';
import { hostileKeywords } from '../methods/Email/hostile-keywords.ts';
import { courier, cyrus, dovecot, ownDovecot, type TestServer, type TestUser } from '../servers/servers.ts';
import { expectRight, questions } from './failure-laws.ts';
import { type Product, startProduct } from './harness.ts';
import { type ImapActor, imapActor } from './imap-actor.ts';
import type { JmapClient } from './jmap-client.ts';
import { letter } from './letter.ts';
import { namesOf, type Snapshot, takeSnapshot } from './snapshot.ts';

type SetResponse = {
  readonly oldState: string;
  readonly newState: string;
  readonly updated: JsonObject | null;
  readonly destroyed: Id[] | null;
  readonly notUpdated: { readonly [id: string]: { readonly type: string; readonly properties?: string[] } } | null;
  readonly notDestroyed: { readonly [id: string]: { readonly type: string } } | null;
};

type Server = {
  readonly title: string;
  readonly start: () => Promise<TestServer & { readonly stop?: () => Promise<void> }>;
  readonly options?: Parameters<typeof startProduct>[1];
};

const servers: readonly Server[] = [
  { title: 'Dovecot', start: dovecot },
  { title: 'Dovecot with digests', start: dovecot, options: { forbiddenIdentitySchemes: ['xguid'] } },
  { title: 'Dovecot without MOVE', start: dovecot, options: { ignoreCapabilities: ['MOVE'] } },
  { title: 'Dovecot without MOVE and UIDPLUS', start: dovecot, options: { ignoreCapabilities: ['MOVE', 'UIDPLUS'] } },
  { title: 'Dovecot without mod-sequences', start: dovecot, options: { ignoreCapabilities: ['CONDSTORE', 'QRESYNC'] } },
  {
    title: 'Dovecot with files, dots and all below the inbox',
    start: () => ownDovecot({ format: 'maildir', naming: { separator: '.', prefix: 'INBOX.' } }),
  },
  { title: 'Cyrus', start: cyrus },
  { title: 'Courier', start: courier },
];

const created = ['Work', 'Home', 'Later', 'Fourth', 'Fifth', 'Sixth'];

describe.each(servers)('Email/set on $title', ({ start, options }) => {
  let server: Awaited<ReturnType<typeof start>>;
  let product: Product;
  let actor: ImapActor;
  let user: TestUser;
  let client: JmapClient;
  let history: Snapshot[];
  let ids: { readonly [token: string]: Id };
  let mailboxes: { readonly [name: string]: Id };

  beforeAll(async () => {
    server = await start();
    user = await server.freshUser();
    actor = await imapActor(server, user);
    for (const name of created) await actor.create(name);
    product = startProduct(server, options);
  });
  afterAll(async () => {
    await product.stop();
    await actor.close();
    await server.stop?.();
  });

  beforeEach(async () => {
    // A process may connect only so often, and without UNSELECT every request does.
    client = await (await product.startProcess()).client(user);
    for (const name of ['INBOX', ...created]) {
      const uids = await actor.uids(name);
      if (uids.length > 0) await actor.expunge(name, uids);
    }
    await actor.deliver('INBOX', letter({ token: 'one' }), { flags: ['\\Seen'] });
    await actor.deliver('INBOX', letter({ token: 'two', answers: ['one'] }));
    await actor.deliver('INBOX', letter({ token: 'three' }), { flags: ['\\Flagged', 'later'] });
    const [three] = (await actor.rows('INBOX')).filter(({ token }) => token === 'three');
    await actor.copy('INBOX', [three?.uid ?? 0], 'Work');
    const property = 'header:X-Token:asText';
    const snapshot = await look();
    const { list } = await client.get<{ id: Id; [property]: string }>('Email', {
      ids: [...snapshot.Email.keys()],
      properties: [property],
    });
    ids = Object.fromEntries(list.map(({ id, [property]: token }) => [token, id]));
    mailboxes = Object.fromEntries([...namesOf(snapshot.Mailbox)].map(([id, name]) => [name, id]));
    history = [snapshot];
  });

  /** What is there now. */
  const look = () => {
    product.advanceClock(10_000);
    return takeSnapshot(client, questions);
  };
  /** Names as JMAP has them: without the prefix of the personal namespace. */
  const observed = async () =>
    (await actor.observe()).map((mailbox) => ({ ...mailbox, name: mailbox.name.replace(/^INBOX\./, '') }));
  const id = (token: string): Id => ids[token] ?? ('none' as Id);
  const box = (name: string): Id => mailboxes[name] ?? ('none' as Id);

  /** What is called, what lies on the mail server then, and that the two states tell exactly that. */
  async function set(args: JsonObject): Promise<SetResponse> {
    const response = await client.one<SetResponse>('Email/set', args);
    const changes = await client.changes('Email', response.oldState);
    expect(changes.newState).toBe(response.newState);
    history.push(await look());
    await expectRight(await observed(), client, history);
    return response;
  }
  const update = (token: string, patch: JsonObject) => set({ update: { [id(token)]: patch } });
  const email = (token: string) => {
    const found = history.at(-1)?.Email.get(id(token));
    const names = namesOf(history.at(-1)?.Mailbox ?? new Map());
    return (
      found && {
        keywords: Object.keys(found.keywords).sort(),
        mailboxes: Object.keys(found.mailboxIds)
          .map((each) => names.get(each as Id))
          .sort(),
      }
    );
  };

  test.each<[string, JsonObject, string[]]>([
    ['a keyword is added by a patch', { 'keywords/$flagged': true }, ['$flagged', '$seen']],
    ['null removes one', { 'keywords/$seen': null }, []],
    ['and so does false', { 'keywords/$seen': false }, []],
    ['all are replaced', { keywords: { $answered: true, Private: true } }, ['$answered', 'private']],
    ['one comes and one goes', { 'keywords/$seen': null, 'keywords/$draft': true }, ['$draft']],
  ])('%s', async (_, patch, keywords) => {
    const { updated, notUpdated } = await update('one', patch);
    expect([updated, notUpdated]).toEqual([{ [id('one')]: null }, null]);
    expect(email('one')).toEqual({ keywords, mailboxes: ['INBOX'] });
  });

  test('an Email goes into many mailboxes at once, and out of them', async () => {
    const all = Object.fromEntries(['INBOX', ...created].map((name) => [box(name), true]));
    const spread = await update('two', { mailboxIds: all });
    expect([spread.updated, spread.notUpdated]).toEqual([{ [id('two')]: null }, null]);
    expect(email('two')?.mailboxes).toEqual(['INBOX', ...created].sort());
    const gathered = await update('two', { mailboxIds: { [box('Sixth')]: true } });
    expect([gathered.updated, gathered.notUpdated]).toEqual([{ [id('two')]: null }, null]);
    expect(email('two')?.mailboxes).toEqual(['Sixth']);
  });

  test('a keyword is set and taken in every mailbox that the Email is in', async () => {
    await update('three', { 'keywords/$seen': true, 'keywords/later': null });
    expect(email('three')).toEqual({ keywords: ['$flagged', '$seen'], mailboxes: ['INBOX', 'Work'] });
    const flags = [...(await actor.rows('INBOX')), ...(await actor.rows('Work'))]
      .filter(({ token }) => token === 'three')
      .map((row) => [...row.flags].sort());
    expect(flags).toEqual([
      ['\\Flagged', '\\Seen'],
      ['\\Flagged', '\\Seen'],
    ]);
  });

  test.each<[string, string, (box: (name: string) => Id) => JsonObject, string[]]>([
    ['an Email is moved', 'one', (to) => ({ mailboxIds: { [to('Work')]: true } }), ['Work']],
    ['it is added to a mailbox', 'one', (to) => ({ [`mailboxIds/${to('Work')}`]: true }), ['INBOX', 'Work']],
    ['it is taken out of one of two', 'three', (to) => ({ [`mailboxIds/${to('Work')}`]: null }), ['INBOX']],
    [
      'it is moved from two mailboxes to two others',
      'three',
      (to) => ({ mailboxIds: { [to('Home')]: true, [to('Later')]: true } }),
      ['Home', 'Later'],
    ],
    ['it is moved from two mailboxes to one', 'three', (to) => ({ mailboxIds: { [to('Home')]: true } }), ['Home']],
    [
      'it is moved from one mailbox to three',
      'one',
      (to) => ({ mailboxIds: { [to('Home')]: true, [to('Later')]: true, [to('Work')]: true } }),
      ['Home', 'Later', 'Work'],
    ],
  ])('%s, with its keywords', async (_, token, patch, names) => {
    const before = email(token);
    const { updated, notUpdated } = await update(token, patch(box));
    expect([updated, notUpdated]).toEqual([{ [id(token)]: null }, null]);
    expect(email(token)).toEqual({ keywords: before?.keywords, mailboxes: names });
  });

  test('what is unread in one of two mailboxes stays unread when it is moved', async () => {
    const [row] = (await actor.rows('INBOX')).filter(({ token }) => token === 'three');
    await actor.flag('INBOX', [row?.uid ?? 0], ['\\Seen']);
    history = [await look()];
    await update('three', { mailboxIds: { [box('Home')]: true } });
    expect(email('three')?.keywords).toEqual(['$flagged', 'later']);
  });

  test('it is moved and flagged at once, and others are destroyed', async () => {
    const { updated, destroyed } = await set({
      update: { [id('two')]: { mailboxIds: { [box('Work')]: true }, 'keywords/$seen': true } },
      destroy: [id('one'), id('three')],
    });
    expect([updated, [...(destroyed ?? [])].sort()]).toEqual([{ [id('two')]: null }, [id('one'), id('three')].sort()]);
    expect([email('one'), email('two'), email('three')]).toEqual([
      undefined,
      { keywords: ['$seen'], mailboxes: ['Work'] },
      undefined,
    ]);
  });

  test('what cannot be done is refused, and the rest is done', async () => {
    const { updated, notUpdated, destroyed, notDestroyed } = await set({
      update: {
        [id('one')]: { mailboxIds: { nowhere: true } },
        [id('two')]: { mailboxIds: {} },
        none: { 'keywords/$seen': true },
        [id('three')]: { 'keywords/$seen': true },
      },
      destroy: ['nobody'],
    });
    expect(notUpdated).toEqual({
      none: { type: 'notFound' },
      [id('one')]: { type: 'invalidProperties', properties: ['mailboxIds'], description: expect.any(String) },
      [id('two')]: { type: 'invalidProperties', properties: ['mailboxIds'], description: expect.any(String) },
    });
    expect([updated, destroyed, notDestroyed]).toEqual([
      { [id('three')]: null },
      null,
      { nobody: { type: 'notFound' } },
    ]);
  });

  test('what is no keyword, or not to be changed, changes nothing', async () => {
    const keywords = Object.fromEntries(hostileKeywords.map((word) => [word, true]));
    const patches: JsonObject[] = [{ subject: 'another' }, { keywords }];
    for (const word of hostileKeywords) {
      patches.push({ [`keywords/${word.replaceAll('~', '~0').replaceAll('/', '~1')}`]: true });
    }
    const tokens = ['one', 'two', 'three'];
    while (patches.length > 0) {
      const three = patches.splice(0, tokens.length).map((patch, n) => [id(tokens[n] ?? ''), patch] as const);
      const { updated, notUpdated, newState, oldState } = await client.one<SetResponse>('Email/set', {
        update: Object.fromEntries(three),
      });
      expect([updated, newState]).toEqual([null, oldState]);
      for (const [each, patch] of three) {
        const properties = Object.keys(patch).map((pointer) => pointer.split('/')[0]);
        expect(notUpdated?.[each]).toMatchObject({ type: 'invalidProperties', properties });
      }
    }
    history.push(await look());
    await expectRight(await observed(), client, history);
  });

  test('an Email that another client moved meanwhile is changed where it is now', async () => {
    const [row] = (await actor.rows('INBOX')).filter(({ token }) => token === 'one');
    await actor.move('INBOX', [row?.uid ?? 0], 'Home');
    const { updated } = await client.one<SetResponse>('Email/set', {
      update: { [id('one')]: { 'keywords/$answered': true } },
    });
    expect(updated).toEqual({ [id('one')]: null });
    history.push(await look());
    await expectRight(await observed(), client, history);
    expect(email('one')).toEqual({ keywords: ['$answered', '$seen'], mailboxes: ['Home'] });
  });
});
