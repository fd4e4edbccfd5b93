import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonEqual } from '../../../shared/jmap/json-equal.ts';
import type { JsonObject, JsonValue } from '../../../shared/jmap/scalars.ts';
import { applyPatch, parsePatch } from '../../../shared/jmap/standard/patch.ts';

function patched(target: JsonValue, patch: JsonObject) {
  const parsed = parsePatch(patch);
  return parsed.ok ? applyPatch(target, parsed.value) : parsed;
}

const target: JsonObject = {
  name: 'a',
  keywords: { red: true, 'a/b': true },
  list: [{ x: 1 }],
  none: null,
  deep: { er: {} },
};

const { name: _name, ...nameless } = target;

describe('A PatchObject', () => {
  const applied: [string, JsonObject, JsonObject][] = [
    ['sets nothing', {}, target],
    ['sets a property', { name: 'b' }, { ...target, name: 'b' }],
    ['adds a property', { fresh: 1 }, { ...target, fresh: 1 }],
    ['replaces an array as a whole', { list: [] }, { ...target, list: [] }],
    ['removes a property', { name: null }, nameless],
    ['removes what is not there', { nothing: null }, target],
    ['adds a member', { 'keywords/blue': true }, { ...target, keywords: { red: true, 'a/b': true, blue: true } }],
    ['removes a member', { 'keywords/red': null }, { ...target, keywords: { 'a/b': true } }],
    ['removes a member that is not there', { 'keywords/x': null }, target],
    ['names a member with a slash', { 'keywords/a~1b': null }, { ...target, keywords: { red: true } }],
    [
      'names a member with a tilde',
      { 'keywords/~0': true },
      { ...target, keywords: { red: true, 'a/b': true, '~': true } },
    ],
    ['sets in the depth', { 'deep/er/est': 1 }, { ...target, deep: { er: { est: 1 } } }],
    [
      'sets two members',
      { 'keywords/x': 1, 'keywords/y': 2 },
      { ...target, keywords: { red: true, 'a/b': true, x: 1, y: 2 } },
    ],
    ['sets a member without a name', { 'deep/': 1 }, { ...target, deep: { er: {}, '': 1 } }],
  ];
  test.each(applied)('%s', (_what, patch, expected) => {
    const before = structuredClone(target);
    const result = patched(target, patch);
    expect(result.ok && { ...result.value }).toEqual(expected);
    expect(target).toEqual(before);
  });

  const refused: [string, JsonObject][] = [
    ['leads into an array', { 'list/0': {} }],
    ['leads through an array', { 'list/0/x': 2 }],
    ['leads through null', { 'none/x': 1 }],
    ['leads through a string', { 'name/x': 1 }],
    ['leads through what is not there', { 'nothing/x': 1 }],
    ['removes through what is not there', { 'nothing/x': null }],
    ['leads through what every object inherits', { 'constructor/prototype/x': 1 }],
    ['leads through the prototype', { '__proto__/polluted': 1 }],
    ['is the prefix of another', { keywords: {}, 'keywords/red': null }],
    ['has another as its prefix', { 'keywords/red': null, keywords: {} }],
    ['has another as its prefix, further up', { 'deep/er/est': 1, deep: {} }],
    ['has another as its prefix, with an escape', { 'deep/~0': 1, 'deep/~0/x': 1 }],
    ['has a tilde that escapes nothing', { 'keywords/~2': true }],
    ['ends in a tilde', { 'keywords/~': true }],
  ];
  test.each(refused)('is refused when a pointer %s', (_what, patch) => {
    expect(patched(target, patch)).toMatchObject({ ok: false, error: { type: 'invalidPatch' } });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('can name a member __proto__ without touching any prototype', () => {
    const patch = JSON.parse('{"keywords/__proto__": {"polluted": 1}}');
    const result = patched(target, patch);
    const keywords = (result.ok ? result.value.keywords : undefined) as JsonObject;
    expect(Object.keys(keywords)).toContain('__proto__');
    expect('polluted' in keywords).toBe(false);
  });

  test('that is a whole object gives that object', () => {
    const objects = fc.dictionary(
      fc.stringMatching(/^[a-z]+$/),
      fc.jsonValue().filter((value) => value !== null),
    );
    fc.assert(
      fc.property(objects, (whole) => {
        const result = patched({}, whole as JsonObject);
        expect(result.ok && jsonEqual(result.value, whole as JsonObject)).toBe(true);
      }),
    );
  });

  test('of single members does what assigning and deleting them does, in any order', () => {
    const names = fc.constantFrom('a', 'b', '/', '~', '', '__proto__');
    const members = fc.uniqueArray(fc.tuple(names, fc.option(fc.boolean())), { selector: ([name]) => name });
    fc.assert(
      fc.property(fc.uniqueArray(names), members, (present, changes) => {
        const keywords: JsonObject = Object.create(null);
        for (const name of present) keywords[name] = true;
        const expected: JsonObject = Object.assign(Object.create(null), keywords);
        const patch: JsonObject = {};
        for (const [name, value] of changes) {
          patch[`keywords/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`] = value;
          if (value === null) delete expected[name];
          else expected[name] = value;
        }
        const result = patched({ keywords }, patch);
        expect(result.ok && jsonEqual(result.value.keywords, expected)).toBe(true);
      }),
    );
  });
});

describe('jsonEqual', () => {
  test('is what comparing canonical JSON is', () => {
    const small = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(jsonEqual(a as JsonValue, b as JsonValue)).toBe(canonical(a) === canonical(b));
        expect(jsonEqual(a as JsonValue, structuredClone(a) as JsonValue)).toBe(true);
      }),
    );
  });

  const different: [JsonValue, JsonValue][] = [
    [[], {}],
    [null, {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [
      [1, 2],
      [2, 1],
    ],
    [['a'], { 0: 'a' }],
    [{ constructor: 1 }, {}],
  ];
  test.each(different)('tells %j from %j', (a, b) => {
    expect(jsonEqual(a, b)).toBe(false);
    expect(jsonEqual(b, a)).toBe(false);
  });
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
