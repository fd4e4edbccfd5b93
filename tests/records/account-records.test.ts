import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown, Unavailable } from '../../shared/jmap/errors.ts';
import type { Id, JsonObject, State } from '../../shared/jmap/scalars.ts';
import { accountRecords, type RecordKind, type RecordsView } from '../../shared/records/account-records.ts';
import { createMemoryRecordStore } from '../../shared/records/memory-store.ts';

type Cake = JsonObject & { n: number };
const cakes: RecordKind<Cake> = { name: 'Cake' };
const id = (text: string) => text as Id;

let keys = 0;
function open(account = 'own') {
  const store = createMemoryRecordStore({ now: () => 0 });
  const another = (of = account) => accountRecords({ store, account: of, randomKey: () => `key${++keys}` });
  return { store, records: another(), another };
}
/** Text of so many characters that cannot be deflated to much less than two thirds of them, always another. */
let seed = 1;
function noiseOf(characters: number): string {
  let noise = '';
  while (noise.length < characters) {
    seed = (seed * 48_271) % 2_147_483_647;
    noise += seed.toString(36);
  }
  return noise.slice(0, characters);
}
const adding = (name: string) => (view: RecordsView<Cake>) => ({
  edits: [{ id: id(name), value: { n: (view.records.get(id(name))?.n ?? 0) + 1 } }],
  answer: name,
});

describe('the records of an account', () => {
  test('are what was committed, for whoever reads them', async () => {
    const { records, another } = open();
    const changed = await records.change(cakes, adding('a'));
    expect(changed).toMatchObject({ ok: true, value: { answer: 'a' } });
    const view = await another().view(cakes);
    expect([...view.records]).toEqual([['a', { n: 1 }]]);
    expect(changed.ok && changed.value.after.state).toBe(view.state);
  });

  test('are not those of another account, or of another type', async () => {
    const { records, another } = open();
    await records.change(cakes, adding('a'));
    expect((await another('other').view(cakes)).records.size).toBe(0);
    expect((await records.view({ name: 'Tart' })).records.size).toBe(0);
  });

  test('lose no edit of writers who race', async () => {
    const { another } = open();
    const writers = Array.from({ length: 12 }, () => another().change(cakes, adding('counter')));
    const outcomes = await Promise.all(writers);
    const view = await another().view(cakes);
    expect(view.records.get(id('counter'))).toEqual({ n: 12 });
    const states = outcomes.map((outcome) => outcome.ok && outcome.value.after.state);
    expect(new Set(states).size).toBe(12);
  });

  test('have states between which lie the edits of one writer only', async () => {
    const { records, another, store } = open();
    await records.change(cakes, adding('mine'));
    // Between our read and our write somebody else commits.
    const others = another();
    let reads = 0;
    const outcome = await records.change(cakes, (view) => {
      if (++reads === 1) store.interrupt(async () => void (await others.change(cakes, adding('foreign'))));
      return adding('mine')(view);
    });
    expect(reads).toBe(2);
    if (!outcome.ok) throw new Error('full');
    const { before, after } = outcome.value;
    expect(after.changes(before.state, null)).toMatchObject({ value: { created: [], updated: ['mine'] } });
    expect((await records.view(cakes)).records.get(id('foreign'))).toEqual({ n: 1 });
  });

  test.each([{ failure: 'before' }, { failure: 'after' }] as const)(
    'are edited once, though the answer to a write is lost ($failure it took effect)',
    async ({ failure }) => {
      const { records, store } = open();
      await records.change(cakes, adding('a'));
      store.failCall(2, failure);
      expect(await records.change(cakes, adding('a'))).toMatchObject({ ok: true });
      expect((await records.view(cakes)).records.get(id('a'))).toEqual({ n: 2 });
    },
  );

  test('are edited once, though the answer is lost and others write on top before we look', async () => {
    const { records, another, store } = open();
    await records.change(cakes, adding('a'));
    const others = another();
    let reads = 0;
    const outcome = await records.change(cakes, (view) => {
      if (++reads === 1) store.failCall(1, 'after');
      store.interrupt(async () => {
        store.interrupt(async () => void (await others.change(cakes, adding('a'))));
      });
      return adding('a')(view);
    });
    expect(outcome.ok).toBe(true);
    expect(reads).toBe(1);
    expect((await records.view(cakes)).records.get(id('a'))).toEqual({ n: 3 });
  });

  test('are changed or not, and it is said that nobody knows, where the store stops answering in the midst of it', async () => {
    const { records, store } = open();
    const late = accountRecords({
      account: 'own',
      randomKey: () => `key${++keys}`,
      store: {
        ...store,
        write: async (...args) => {
          await store.write(...args);
          store.failCall(1);
          throw new Unavailable('the answer was lost');
        },
      },
    });
    await expect(late.change(cakes, adding('a'))).rejects.toThrow(OutcomeUnknown);
    expect((await records.view(cakes)).records.get(id('a'))).toEqual({ n: 1 });
    store.failCall(1);
    const refusal = await records.change(cakes, adding('a')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Unavailable);
    expect(refusal).not.toBeInstanceOf(OutcomeUnknown);
  });

  test('are written only when there is something to write', async () => {
    const { records, store } = open();
    const outcome = await records.change(cakes, () => ({ edits: [], answer: null }));
    expect(outcome.ok && outcome.value.after.state).toBe(outcome.ok && outcome.value.before.state);
    expect(store.contents().get('own')?.size ?? 0).toBe(0);
  });

  test('begin with what every account has, and tell what changed since then', async () => {
    const { records } = open();
    const kind: RecordKind<Cake> = { name: 'Cake', initial: new Map([[id('first'), { n: 0 }]]) };
    const { state, records: initial } = await records.view(kind);
    expect([...initial.keys()]).toEqual(['first']);
    await records.change(kind, adding('first'));
    await records.change(kind, adding('second'));
    const view = await records.view(kind);
    expect(view.changes(state, null)).toMatchObject({
      value: { created: ['second'], updated: ['first'], newState: view.state },
    });
    const otherwise: RecordKind<Cake> = { name: 'Tart', initial: new Map([[id('first'), { n: 1 }]]) };
    expect((await records.view(otherwise)).state).not.toBe(state);
  });

  test('take no more room than there is, and say so before anything has changed', async () => {
    const { records } = open();
    await records.change(cakes, adding('a'));
    const { state } = await records.view(cakes);
    const huge = { edits: [{ id: id('huge'), value: { n: 0, noise: noiseOf(900_000) } }], answer: null };
    expect(await records.change(cakes, () => huge)).toEqual({ ok: false, error: 'full' });
    expect((await records.view(cakes)).state).toBe(state);
  });

  describe('some of which may go', () => {
    /** Those that are stale may go, the oldest first. */
    const stale: RecordKind<Cake> = {
      name: 'Cake',
      expendable: (all) => [...all].filter(([, { isStale }]) => isStale).map(([name]) => name),
    };
    const put = (name: string, value: JsonObject, spare = 0) => ({
      edits: [{ id: id(name), value: { n: 0, ...value } }],
      spare,
      answer: null,
    });
    /** Ten cakes that fill the item nearly. */
    async function filled(isStale: (n: number) => boolean, text = () => noiseOf(50_000)) {
      const { records } = open();
      for (let n = 0; n < 10; n += 1)
        expect(await records.change(stale, () => put(`c${n}`, { isStale: isStale(n), text: text() }))).toMatchObject({
          ok: true,
        });
      return records;
    }

    test('make room for others, the first ones first and no more than it takes, and are told as gone before', async () => {
      const records = await filled((n) => n % 2 === 0);
      const known = await records.view(stale);
      const changed = await records.change(stale, () => put('new', { text: noiseOf(100_000) }));
      if (!changed.ok) throw new Error('full');
      const { before, after } = changed.value;
      expect([...after.records.keys()].join()).toBe('c1,c3,c4,c5,c6,c7,c8,c9,new');
      expect(after.changes(before.state, null)).toMatchObject({
        value: { created: ['new'], updated: [], destroyed: [] },
      });
      expect(after.changes(known.state, null)).toMatchObject({
        value: { created: ['new'], updated: [], destroyed: ['c0', 'c2'] },
      });
      expect(before.records.has(id('c0'))).toBe(false);
    });

    test('stay where they are edited themselves, and where others must not go there is no room', async () => {
      const records = await filled((n) => n === 3);
      const { state } = await records.view(stale);
      expect(await records.change(stale, () => put('c3', { text: noiseOf(300_000) }))).toMatchObject({ ok: false });
      expect(await records.change(stale, () => put('new', { text: noiseOf(300_000) }))).toMatchObject({ ok: false });
      expect((await records.view(stale)).state).toBe(state);
    });

    test('stay as long as what is wanted leaves free what it has to', async () => {
      const records = await filled(() => false);
      const small = () => put('new', { text: noiseOf(1_000) }, 80_000);
      expect(await records.change(stale, small)).toMatchObject({ ok: false });
      expect(await records.change(stale, () => ({ ...small(), spare: 0 }))).toMatchObject({ ok: true });
    });

    test('go for text that takes little room and long to read, too', async () => {
      const records = await filled(
        () => true,
        () => 'x'.repeat(1_000_000),
      );
      expect((await records.view(stale)).records.size).toBeLessThan(8);
    });

    test('and such as have had their time, go before what is wanted', async () => {
      const { records } = open();
      await records.change(stale, () => put('old', {}));
      const known = await records.view(stale);
      const changed = await records.change(stale, () => ({ ...put('new', {}), outlived: [id('old'), id('new')] }));
      if (!changed.ok) throw new Error('full');
      const { before, after } = changed.value;
      expect(after.changes(before.state, null)).toMatchObject({ value: { created: ['new'], destroyed: [] } });
      expect(after.changes(known.state, null)).toMatchObject({ value: { created: ['new'], destroyed: ['old'] } });
    });
  });

  test('in a layout that is not known are neither read nor written over', async () => {
    const { records, store } = open();
    const foreign = { version: 1, bytes: Uint8Array.of(200, 1, 2), expiresAt: null };
    await store.write('own', 'records/Cake', foreign, null);
    await expect(records.view(cakes)).rejects.toThrow('layout is 200');
    await expect(records.change(cakes, adding('a'))).rejects.toThrow('layout is 200');
  });

  test('begun anew after they were erased have no state in common with the old ones', async () => {
    const { records, store } = open();
    const first = await records.change(cakes, adding('a'));
    await store.remove('own', 'records/Cake', null);
    await records.change(cakes, adding('b'));
    const old = (first.ok && first.value.after.state) as State;
    expect((await records.view(cakes)).changes(old, null)).toMatchObject({ ok: false });
  });
});
