import fc from 'fast-check';
import type { Grammar } from '../../shared/jmap/grammar.ts';
import type { JsonValue } from '../../shared/jmap/scalars.ts';

/**
 * What a request may name, learnt from earlier answers: `‹emailId 3›` in any string stands for the third that is known by then,
 * counted round and round, so that a request says the same in every run and shrinks to something readable.
 */
export const kinds = [
  'accountId',
  'emailId',
  'threadId',
  'mailboxId',
  'blobId',
  'identityId',
  'submissionId',
  'state',
  'queryState',
  'partId',
] as const;
export type Kind = (typeof kinds)[number];

export function token(kind: Kind): fc.Arbitrary<string> {
  return fc.nat({ max: 40 }).map((n) => `‹${kind} ${n}›`);
}

const anyToken = fc.constantFrom(...kinds).chain(token);

/** Names that mean something to JavaScript, to JSON Pointers or to this protocol. */
const uncommonNames = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then', 'toJSON'],
  ...['', '#', '#ids', '#accountId', '*', '/', '~', '~0', 'id', 'operator', 'conditions', '\0', '\u{1f600}'],
];

const strings: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: anyToken },
  { weight: 2, arbitrary: fc.constantFrom(...uncommonNames) },
  fc.constantFrom('2026-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z'),
  fc.constantFrom('$seen', '$draft', '\\Deleted', 'inbox', 'INBOX', 'i;ascii-casemap', 'i;octet', 'x'.repeat(300)),
  fc.constantFrom(
    'header:Subject:asText',
    'header:X:asAddresses:all',
    'header:',
    'header:Ä:asRaw',
    'header:From:asURLs',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

const numbers: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324, 0.5, -0),
);

const names = fc.oneof(fc.constantFrom(...uncommonNames), anyToken, fc.string({ maxLength: 8 }));

/** Any JSON value, small but not well-meaning. An own member called `__proto__` stays one. */
export const anyValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue; nested: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue[]>(null, true, false),
    numbers,
    strings,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    tie('nested'),
  ),
  nested: fc.tuple(fc.constantFrom(3, 20, 130), fc.boolean()).map(([depth, isArray]) => {
    let value: JsonValue = null;
    for (let level = 0; level < depth; level += 1) value = isArray ? [value] : { operator: 'NOT', conditions: [value] };
    return value;
  }),
})).value;

const candidates: readonly JsonValue[] = [
  ...[null, true, false, 0, 1, 3, 1000, 2 ** 53 - 1],
  ...['', 'a', '$seen', 'inbox', '2026-01-01T00:00:00Z', '2026-01-01T12:00:00+02:00', 'subject'],
  ...[[], ['a'], ['subject', 'a'], ['partId', 'type'], ['a', 'b', 'c'], {}, { a: true }, { a: 'b' }],
];

/** Values that the grammar accepts, found by asking it; `‹…›` where it accepts an id or any other word. */
export function acceptedBy(grammar: Grammar<unknown>): fc.Arbitrary<JsonValue> {
  const accepted = candidates.filter((value) => grammar.parse(value).ok);
  const choices: fc.Arbitrary<JsonValue>[] = accepted.length === 0 ? [anyValue] : [fc.constantFrom(...accepted)];
  if (grammar.parse('a').ok) choices.push(anyToken, strings);
  if (grammar.parse(['a']).ok) choices.push(fc.array(anyToken, { maxLength: 3 }));
  if (grammar.parse({ a: true }).ok) choices.push(anyToken.map((name) => ({ [name]: true })));
  return fc.oneof(...choices);
}

/** Now and then something else altogether. */
export function mostly(arbitrary: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: anyValue });
}
