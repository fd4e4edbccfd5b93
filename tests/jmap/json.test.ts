import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RequestError } from '../../shared/jmap/errors.ts';
import { maxJsonDepth, parseJson } from '../../shared/jmap/json.ts';

describe('parseJson', () => {
  test('reads whatever JSON.stringify writes, compact or indented', () => {
    const values = fc.jsonValue({ stringUnit: 'binary' });
    const interchangeable = values.filter((value) => !/\p{Noncharacter_Code_Point}/u.test(JSON.stringify(value)));
    fc.assert(
      fc.property(interchangeable, fc.constantFrom(0, 2, '\t'), (value, indent) => {
        expect(parseJson(JSON.stringify(value, null, indent))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('agrees with JSON.parse on what is JSON at all', () => {
    const pieces = fc.constantFrom(...'{}[],:"ab\\u0n1-.eE+ \t'.split(''), 'true', 'null', '"a"', '"b":', '1e5', '\\n');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (chosen) => {
        const text = chosen.join('');
        const theirs = attempt(() => JSON.parse(text));
        const ours = attempt(() => parseJson(text));
        // Ours refuses more: I-JSON. It never accepts more, and never reads anything else.
        if (ours.parsed) expect(theirs).toEqual({ parsed: true, value: ours.value });
        else if (theirs.parsed) expect(text).toMatch(/"([^"]*)"\s*:.*"\1"\s*:|\\u|e/i);
      }),
      { numRuns: 2000 },
    );
  });

  const accepted: [string, string, unknown][] = [
    ['every escape', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"', '"\\/\b\f\n\r\té'],
    ['a surrogate pair written as escapes', '"\\ud83c\\udf70"', '🍰'],
    ['a character beyond the basic plane', '"🍰"', '🍰'],
    ['numbers', '[0, -0.5, 1e3, 2E-1]', [0, -0.5, 1000, 0.2]],
    ['the same name in different objects', '[{"a":1},{"a":{"a":2}}]', [{ a: 1 }, { a: { a: 2 } }]],
    ['white space around everything', ' \r\n\t[ 1 , { "a" : 2 } ] \n', [1, { a: 2 }]],
    ['the deepest nesting', '['.repeat(maxJsonDepth) + ']'.repeat(maxJsonDepth), expect.any(Array)],
  ];
  test.each(accepted)('accepts %s', (_what, text, expected) => {
    expect(parseJson(text)).toEqual(expected);
  });

  const refused: [string, string][] = [
    ['nothing', ''],
    ['two values', '1 2'],
    ['a comma at the end of an array', '[1,]'],
    ['a comma at the end of an object', '{"a":1,}'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "'a'"],
    ['a leading zero', '01'],
    ['a leading plus', '+1'],
    ['a number that ends in a point', '1.'],
    ['NaN', 'NaN'],
    ['a number beyond a double', '1e400'],
    ['a string that does not end', '"a'],
    ['an escape at the end', '"\\'],
    ['an unknown escape', '"\\x41"'],
    ['a short \\u escape', '"\\u00g0"'],
    ['a line feed in a string', '"a\nb"'],
    ['a comment', '[1 /* one */]'],
    ['a byte order mark', '\ufeff{}'],
    ['a no-break space between values', '[1,\u00a02]'],
    ['a duplicate member', '{"a":1,"b":2,"a":1}'],
    ['a duplicate member, once escaped', '{"a":1,"\\u0061":2}'],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}'],
    ['an escaped lone surrogate', '"\\ud83c"'],
    ['surrogates in the wrong order', '"\\udf70\\ud83c"'],
    ['a lone surrogate in a text', '"\ud83c"'],
    ['a lone surrogate in a name', '{"\\ud83c":1}'],
    ['a noncharacter', '"\uffff"'],
    ['a noncharacter of another plane', '"\\ud83f\\udffe"'],
    ['nesting that is too deep', '['.repeat(maxJsonDepth + 1) + ']'.repeat(maxJsonDepth + 1)],
    ['nesting that would exhaust the stack', '{"a":'.repeat(1_000_000)],
  ];
  test.each(refused)('refuses %s', (_what, text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ constructor: RequestError, type: 'notJSON' }));
  });

  test('gives objects without a prototype, in which __proto__ is an ordinary member', () => {
    const parsed = parseJson('{"__proto__": {"a": 1}, "constructor": 2}') as object;
    expect(Object.getPrototypeOf(parsed)).toBeNull();
    expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn({}, 'a')).toBe(false);
  });
});

function attempt(parse: () => unknown): { parsed: boolean; value?: unknown } {
  try {
    return { parsed: true, value: parse() };
  } catch {
    return { parsed: false };
  }
}
