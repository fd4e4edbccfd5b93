import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Invocation } from '../../shared/jmap/request.ts';
import { resolveReferences } from '../../shared/jmap/result-reference.ts';
import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';

const threads: JsonObject = {
  list: [
    { id: 'T1', emailIds: ['e1', 'e2'], 'a/b': 1, 'm~n': 2 },
    { id: 'T2', emailIds: ['e3'], 'a/b': 3, 'm~n': 4 },
  ],
  nested: [[[1], [2]], [[3]]],
  empty: [],
  updatedProperties: null,
  '*': { star: true },
  '': 'nameless',
};

function resolve(path: string, response: JsonObject = threads, left = 1_000_000) {
  const responses = new Map<string, Invocation>([['t0', ['Thread/get', response, 't0']]]);
  const args = { '#foo': { resultOf: 't0', name: 'Thread/get', path }, plain: 1 };
  return resolveReferences(args, responses, { left });
}

describe('A result reference', () => {
  const resolved: [string, string, JsonValue][] = [
    ['the whole response', '', threads],
    ['a member', '/list/0/id', 'T1'],
    ['an array as it is', '/list/1/emailIds', ['e3']],
    ['a member of every item', '/list/*/id', ['T1', 'T2']],
    ['arrays in every item, flattened', '/list/*/emailIds', ['e1', 'e2', 'e3']],
    ['arrays of arrays, flattened by one level for each *', '/nested/*', [[1], [2], [3]]],
    ['two stars', '/nested/*/*', [1, 2, 3]],
    ['an item of every item', '/nested/*/0', [1, 3]],
    ['nothing out of nothing', '/empty/*/id', []],
    ['null', '/updatedProperties', null],
    ['names with escapes', '/list/*/a~1b', [1, 3]],
    ['names with a tilde', '/list/*/m~0n', [2, 4]],
    ['a member that is called *', '/*/star', true],
    ['a member without a name', '/', 'nameless'],
  ];
  test.each(resolved)('resolves to %s: %s', (_what, path, expected) => {
    expect(resolve(path)).toEqual({ ok: true, value: { foo: expected, plain: 1 } });
  });

  const unresolved: [string, string][] = [
    ['a path that is no JSON Pointer', 'list'],
    ['a path that is long and leads nowhere', '/a'.repeat(1_000_000)],
    ['a wrong escape', '/li~2st'],
    ['a member that is not there', '/notFound'],
    ['an inherited member', '/list/constructor'],
    ['an inherited method', '/toString'],
    ['an index that is not there', '/list/2'],
    ['the index behind the last', '/list/-'],
    ['an index with a leading zero', '/list/00'],
    ['a member of null', '/updatedProperties/x'],
    ['a character of a string', '/list/0/id/0'],
    ['a member that one item does not have', '/nested/*/1'],
    ['a star on a string', '/list/0/id/*'],
  ];
  test.each(unresolved)('does not resolve %s', (_what, path) => {
    expect(resolve(path)).toMatchObject({ ok: false, error: { type: 'invalidResultReference' } });
  });

  const responses = new Map<string, Invocation>([
    ['t0', ['Thread/get', threads, 't0']],
    ['t1', ['error', { type: 'serverFail' }, 't1']],
  ]);
  const good = { resultOf: 't0', name: 'Thread/get', path: '/empty' };
  const refused: [string, JsonObject, string, string][] = [
    ['a call that has no response yet', { '#a': { ...good, resultOf: 't2' } }, 'invalidResultReference', '/#a'],
    ['a response of another name', { '#a': { ...good, name: 'Thread/set' } }, 'invalidResultReference', '/#a'],
    ['a call that failed', { '#a': { ...good, resultOf: 't1' } }, 'invalidResultReference', '/#a'],
    ['the argument in both forms', { a: [], '#a': good }, 'invalidArguments', '/#a'],
    ['both forms, were it to resolve or not', { a: [], '#a': 1 }, 'invalidArguments', '/#a'],
    ['a reference without path', { '#a': { resultOf: 't0', name: 'Thread/get' } }, 'invalidArguments', '/#a/path'],
    ['a reference that is a string', { '#a': 't0' }, 'invalidArguments', '/#a'],
    ['a reference with something more', { '#a': { ...good, b: 1 } }, 'invalidArguments', '/#a/b'],
  ];
  test.each(refused)('is refused: %s', (_what, args, type, where) => {
    expect(resolveReferences(args, responses, { left: 1000 })).toEqual({
      ok: false,
      error: { type, description: expect.stringContaining(where) },
    });
  });

  test('leaves arguments without references alone', () => {
    const args = { a: { '#b': 1 } };
    expect(resolveReferences(args, responses, { left: 0 })).toEqual({ ok: true, value: args });
  });

  test('may be called __proto__ without harm', () => {
    const result = resolveReferences({ '#__proto__': { ...good, path: '/*' } }, responses, { left: 1000 });
    expect(result.ok && Object.keys(result.value)).toEqual(['__proto__']);
    expect(Object.hasOwn(Object.prototype, 'star')).toBe(false);
  });

  test('with one star gives what map and flat give', () => {
    const items = fc.array(fc.record({ x: fc.oneof(fc.jsonValue(), fc.array(fc.integer())) }));
    fc.assert(
      fc.property(items, (list) => {
        const expected = list.flatMap(({ x }) => x);
        expect(resolve('/list/*/x', { list } as JsonObject)).toMatchObject({ ok: true, value: { foo: expected } });
      }),
    );
  });
});

describe('The budget of references', () => {
  test('covers a value of about as many octets', () => {
    const response = { ids: ['x'.repeat(400)] };
    expect(resolve('/ids', response, 500)).toMatchObject({ ok: true });
    expect(resolve('/ids', response, 400)).toMatchObject({ ok: false, error: { type: 'invalidResultReference' } });
  });

  test('is used up by items that a star visits and that bring nothing', () => {
    const response = { list: Array.from({ length: 100 }, () => []) };
    expect(resolve('/list/*', response, 150)).toMatchObject({ ok: true });
    expect(resolve('/list/*', response, 99)).toMatchObject({ ok: false });
  });

  test('keeps references to references from growing without end', () => {
    const responses = new Map<string, Invocation>([['0', ['Core/echo', { a: 'x'.repeat(100) }, '0']]]);
    const budget = { left: 10_000 };
    let refused = 0;
    for (let round = 1; round <= 40; round += 1) {
      const whole = { resultOf: String(round - 1), name: 'Core/echo', path: '' };
      const result = resolveReferences({ '#a': whole, '#b': whole }, responses, budget);
      if (!result.ok) refused += 1;
      else responses.set(String(round), ['Core/echo', result.value, String(round)]);
    }
    expect(refused).toBeGreaterThan(30);
    expect(JSON.stringify([...responses.values()]).length).toBeLessThan(20_000);
  });
});
