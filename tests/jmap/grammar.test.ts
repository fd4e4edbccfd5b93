import { describe, expect, test } from '@jest/globals';
import {
  anything,
  arrayOf,
  boolean,
  date,
  type Grammar,
  id,
  int,
  invalidArguments,
  mapOf,
  narrowed,
  nullable,
  object,
  oneOf,
  optional,
  positiveInt,
  quote,
  reference,
  setOf,
  string,
  unsignedInt,
  utcDate,
  withDefault,
} from '../../shared/jmap/grammar.ts';
import type { Id, JsonValue } from '../../shared/jmap/scalars.ts';

const maxInt = Number.MAX_SAFE_INTEGER;
const abc = oneOf('a', 'b', 'c');
const pair = object({ left: int, right: withDefault(int, 7), note: optional(string) });
const short = narrowed(string, (value) => (value.length > 3 ? 'is longer than 3' : undefined));

describe('A grammar', () => {
  const accepted: [string, Grammar<unknown>, JsonValue, unknown][] = [
    ['a Boolean', boolean, false, false],
    ['a String', string, '', ''],
    ['an Id', id, 'A-z_9', 'A-z_9'],
    ['the longest Id', id, 'x'.repeat(255), 'x'.repeat(255)],
    ['a negative Int', int, -maxInt, -maxInt],
    ['an UnsignedInt of 0', unsignedInt, 0, 0],
    ['the greatest UnsignedInt', unsignedInt, maxInt, maxInt],
    ['1 as a positive integer', positiveInt, 1, 1],
    ['null where it is allowed', nullable(int), null, null],
    ['a value where null is allowed', nullable(int), 3, 3],
    ['an empty array', arrayOf(int), [], []],
    ['an array', arrayOf(int), [1, 2], [1, 2]],
    ['a map', mapOf(id, int), { a: 1 }, { a: 1 }],
    ['a set', setOf(id), { a: true }, { a: true }],
    ['false in a set as absence', setOf(id), { a: true, b: false }, { a: true }],
    ['an object with defaults', pair, { left: 1 }, { left: 1, right: 7 }],
    ['an object whose default is overridden', pair, { left: 1, right: 2 }, { left: 1, right: 2 }],
    ['an object with its optional member', pair, { left: 1, note: 'n' }, { left: 1, right: 7, note: 'n' }],
    ['one of the strings', abc, 'b', 'b'],
    ['anything', anything, [{ a: null }], [{ a: null }]],
    ['what is not objected to', short, 'abc', 'abc'],
    ['a plain Id as reference', reference, 'x1', 'x1'],
    ['a Date with an offset', date, '2014-10-30T14:12:00+08:00', '2014-10-30T14:12:00+08:00'],
    ['a Date in UTC', date, '2014-10-30T14:12:00Z', '2014-10-30T14:12:00Z'],
    ['a UTCDate', utcDate, '2014-10-30T06:12:00Z', '2014-10-30T06:12:00Z'],
    ['a UTCDate with a fraction', utcDate, '2014-10-30T06:12:00.125Z', '2014-10-30T06:12:00.125Z'],
    ['a UTCDate with a fraction of zero', utcDate, '2014-10-30T06:12:00.000Z', '2014-10-30T06:12:00Z'],
    ['trailing zeros of a fraction', utcDate, '2014-10-30T06:12:00.120Z', '2014-10-30T06:12:00.12Z'],
    ['a leap day', utcDate, '2000-02-29T00:00:00Z', '2000-02-29T00:00:00Z'],
    ['a leap second', utcDate, '2016-12-31T23:59:60Z', '2016-12-31T23:59:60Z'],
  ];
  test.each(accepted)('accepts %s', (_what, grammar, value, expected) => {
    expect(grammar.parse(value)).toEqual({ ok: true, value: expected });
  });

  const refused: [string, Grammar<unknown>, JsonValue, string][] = [
    ['a number as Boolean', boolean, 1, ''],
    ['null as String', string, null, ''],
    ['an empty Id', id, '', ''],
    ['an Id with a character it must not have', id, 'a.b', ''],
    ['an Id that is too long', id, 'x'.repeat(256), ''],
    ['a fraction as Int', int, 1.5, ''],
    ['an Int beyond the safe range', int, maxInt + 1, ''],
    ['a negative UnsignedInt', unsignedInt, -1, ''],
    ['a numeric string as UnsignedInt', unsignedInt, '1', ''],
    ['0 as a positive integer', positiveInt, 0, ''],
    ['the wrong type beside null', nullable(int), 'x', ''],
    ['an object as array', arrayOf(int), {}, ''],
    ['an array with a wrong item', arrayOf(int), [1, 'x'], '/1'],
    ['an array as map', mapOf(id, int), [], ''],
    ['a map with a wrong key', mapOf(id, int), { 'a/b': 1 }, '/a~1b'],
    ['a map with a wrong value', mapOf(string, int), { '~': null }, '/~0'],
    ['a set with a value that is no Boolean', setOf(id), { a: 1 }, '/a'],
    ['an object without a mandatory member', pair, {}, '/left'],
    ['an object with an unknown member', pair, { left: 1, middle: 2 }, '/middle'],
    ['a member inherited from Object', object({}), JSON.parse('{"toString": 1}'), '/toString'],
    ['a nested problem, with its path', object({ a: arrayOf(mapOf(id, int)) }), { a: [{ b: 'x' }] }, '/a/0/b'],
    ['null for a default', pair, { left: 1, right: null }, '/right'],
    ['a string that is not among them', abc, 'd', ''],
    ['what is objected to', short, 'abcd', ''],
    ['a reference to nothing', reference, '#x', ''],
    ['a lower case date', date, '2014-10-30t14:12:00z', ''],
    ['a Date without offset', date, '2014-10-30T14:12:00', ''],
    ['an offset in a UTCDate', utcDate, '2014-10-30T14:12:00+00:00', ''],
    ['an offset beyond a day', date, '2014-10-30T14:12:00+24:00', ''],
    ['the 31st of a short month', utcDate, '2014-11-31T00:00:00Z', ''],
    ['a leap day in a common year', utcDate, '1900-02-29T00:00:00Z', ''],
    ['month 0', utcDate, '2014-00-10T00:00:00Z', ''],
    ['hour 24', utcDate, '2014-10-10T24:00:00Z', ''],
    ['a date without time', utcDate, '2014-10-30', ''],
    ['something after the date', utcDate, '2014-10-30T06:12:00Zulu', ''],
    ['a number as date', utcDate, 1414649520, ''],
  ];
  test.each(refused)('refuses %s', (_what, grammar, value, path) => {
    expect(grammar.parse(value)).toEqual({ ok: false, error: { path, detail: expect.any(String) } });
  });

  test('resolves references wherever they stand', () => {
    const grammar = object({ ids: arrayOf(reference), set: setOf(reference) });
    const resolve = (creationId: string) => (creationId === 'k1' ? ('m1' as Id) : undefined);
    expect(grammar.parse({ ids: ['#k1', 'm2'], set: { '#k1': true } }, resolve)).toEqual({
      ok: true,
      value: { ids: ['m1', 'm2'], set: { m1: true } },
    });
    expect(grammar.parse({ ids: ['#k2'], set: {} }, resolve)).toMatchObject({ ok: false, error: { path: '/ids/0' } });
  });

  test('makes maps in which __proto__ is a key like any other', () => {
    const parsed = mapOf(id, anything).parse(JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(parsed.ok && Object.keys(parsed.value)).toEqual(['__proto__']);
    expect(parsed.ok && Object.getPrototypeOf(parsed.value)).toBeNull();
  });
});

test('invalidArguments says where the problem is, seen from the arguments', () => {
  expect(invalidArguments({ path: '/0', detail: 'is odd' }, '/sort')).toEqual({
    ok: false,
    error: { type: 'invalidArguments', description: '/sort/0: is odd' },
  });
});

test('quote never shows more than a little of what the client sent', () => {
  expect(quote('x'.repeat(1_000_000)).length).toBeLessThan(100);
  expect(quote(`${'x'.repeat(79)}🍰`)).toBe(`"${'x'.repeat(79)}"…`);
  expect(quote([['x'.repeat(1000)]])).toBe('an array');
  expect(quote({ a: 1 })).toBe('an object');
});
