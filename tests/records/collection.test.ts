import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Id, JsonObject, State } from '../../shared/jmap/scalars.ts';
import type { Changes } from '../../shared/jmap/verbs.ts';
import {
  type Collection,
  changesSince,
  destroyedMax,
  type Edit,
  edited,
  stateOf,
} from '../../shared/records/collection.ts';

const empty: Collection = {
  epoch: 'e',
  version: 0,
  firstState: 'f-0' as State,
  records: new Map(),
  destroyed: [],
  toldFrom: 0,
};
const put = (id: string, n = 0): Edit => ({ id: id as Id, value: { n } });
const drop = (id: string): Edit => ({ id: id as Id, value: null });
const made = (...edits: Edit[]) => edits.reduce((collection, edit) => edited(collection, [edit]), empty);

function told(collection: Collection, since: string, maxChanges: number | null = null): Changes {
  const changes = changesSince(collection, since as State, maxChanges);
  if (!changes.ok) throw new Error(changes.error.type);
  return changes.value;
}

describe('changes of a collection', () => {
  test.each([
    { what: 'a new record', edits: [put('a')], since: 'e-0', created: ['a'] },
    { what: 'a changed one', edits: [put('a'), put('a', 1)], since: 'e-1', updated: ['a'] },
    { what: 'one that is gone', edits: [put('a'), drop('a')], since: 'e-1', destroyed: ['a'] },
    { what: 'one that came and went', edits: [put('a'), drop('a')], since: 'e-0' },
    { what: 'one that came and changed', edits: [put('a'), put('a', 1)], since: 'e-0', created: ['a'] },
    { what: 'one that went and came back', edits: [put('a'), drop('a'), put('a')], since: 'e-1', updated: ['a'] },
    { what: 'one that came, went and came', edits: [put('a'), drop('a'), put('a')], since: 'e-0', created: ['a'] },
    {
      what: 'one that came back and went again',
      edits: [put('a'), drop('a'), put('a'), drop('a')],
      since: 'e-1',
      destroyed: ['a'],
    },
    { what: 'nothing', edits: [put('a')], since: 'e-1' },
    { what: 'all since there was nothing', edits: [put('a')], since: 'f-0', created: ['a'] },
  ])('tell of $what', ({ edits, since, created = [], updated = [], destroyed = [] }) => {
    const collection = made(...edits);
    const newState = stateOf(collection);
    expect(told(collection, since)).toEqual({ newState, hasMoreChanges: false, created, updated, destroyed });
  });

  test.each(['e-3', 'e-', 'e--1', 'e-1x', 'x-0', '', 'e-1e0'])('do not tell of the unknown state "%s"', (since) => {
    const changes = changesSince(made(put('a'), put('b')), since as State, null);
    expect(changes).toMatchObject({ ok: false, error: { type: 'cannotCalculateChanges' } });
  });

  test('do not tell of a time whose destroyed records are forgotten', () => {
    const many = Array.from({ length: destroyedMax + 1 }, (_, i) => `r${i}`);
    const collection = edited(
      edited(
        empty,
        many.map((id) => put(id)),
      ),
      many.map(drop),
    );
    expect(changesSince(collection, `e-${many.length}` as State, null)).toMatchObject({ ok: false });
    expect(told(collection, `e-${many.length + 1}`).destroyed).toHaveLength(destroyedMax);
  });

  test('are none where nothing changes that a client can see', () => {
    const before = made(put('a'));
    const quiet = edited(before, [{ id: 'a' as Id, value: { secret: true }, quiet: true }]);
    expect(stateOf(quiet)).toBe(stateOf(before));
    expect(quiet.records.get('a' as Id)?.value).toEqual({ secret: true });
  });

  test('applied in parts of any size to what a client knows, from any state, give what there is', () => {
    const step = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean()), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (steps, maxChanges) => {
        const versions: Collection[] = [empty];
        let n = 0;
        for (const wanted of steps) {
          const unique = new Map(wanted);
          const edits = [...unique].map(([id, keep]) => (keep ? put(id, ++n) : drop(id)));
          versions.push(edited(versions.at(-1) ?? empty, edits));
        }
        const last = versions.at(-1) ?? empty;
        const values = (of: Collection) => new Map([...of.records].map(([id, { value }]) => [id, value]));
        for (const old of versions) {
          const known: Map<Id, JsonObject | undefined> = values(old);
          let state = stateOf(old);
          for (let more = true; more; ) {
            const { newState, hasMoreChanges, ...changed } = told(last, state, maxChanges);
            const ids = [...changed.created, ...changed.updated, ...changed.destroyed];
            expect(ids.length).toBeLessThanOrEqual(maxChanges);
            expect(new Set(ids).size).toBe(ids.length);
            if (hasMoreChanges) expect(ids.length > 0 && newState !== state).toBe(true);
            for (const id of changed.created) expect(known.has(id)).toBe(false);
            for (const id of [...changed.updated, ...changed.destroyed]) expect(known.has(id)).toBe(true);
            for (const id of changed.destroyed) known.delete(id);
            for (const id of [...changed.created, ...changed.updated]) known.set(id, last.records.get(id)?.value);
            state = newState;
            more = hasMoreChanges;
          }
          expect(known).toEqual(values(last));
          expect(state).toBe(stateOf(last));
        }
      }),
    );
  });
});
