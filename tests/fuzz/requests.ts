import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import { registry } from '../../shared/methods/registry.ts';
import { capabilities } from './capabilities.ts';
import { argumentsOf } from './methods.ts';
import { anyValue, mostly, token } from './values.ts';

type Invocation = [name: JsonValue, args: JsonValue, callId: JsonValue];

const methodNames = [...registry.keys()];
const callIds = ['a', 'b', 'c', '', '__proto__'];

/** Where result references (RFC 8620 §3.7) lead: to something, to nothing, and to where nothing should be looked for. */
const paths = [
  ...['/ids', '/list/*/id', '/list/*/threadId', '/list/*/emailIds', '/created', '/updated', '/newState', '/list'],
  ...['', '/', '/list/0/id', '/ids/99999999999', '/ids/-', '/list/*/*', '/list/*/bodyValues/*', '/list/*/mailboxIds'],
  ...[
    '/__proto__',
    '/constructor/name',
    '/list/length',
    '/~2',
    '~',
    '/list/*/from/*/email',
    '/list/*/attachments/*/blobId',
  ],
];

const wildReference = fc.record<JsonObject>({
  resultOf: fc.constantFrom(...callIds),
  name: fc.constantFrom(...methodNames, 'error', 'Foo/get'),
  path: fc.constantFrom(...paths),
});

/** One call of one method: some of its arguments, now and then one from elsewhere or one that refers to another call. */
const call: fc.Arbitrary<Invocation> = fc.constantFrom(...methodNames).chain((name) => {
  const known = Object.keys(argumentsOf(name));
  const args = argumentRecord(name);
  const referring = fc
    .tuple(args, fc.constantFrom(...known, 'x'), mostly(wildReference))
    .map(([rest, argument, reference]) => {
      const { [argument]: _, ...others } = rest;
      return { ...others, [`#${argument}`]: reference };
    });
  const strange = fc
    .tuple(args, fc.constantFrom('__proto__', 'constructor', '#', 'x'), anyValue)
    .map(([rest, extra, value]) => Object.fromEntries([...Object.entries(rest), [extra, value]]));
  const some = fc.oneof({ weight: 6, arbitrary: args }, { weight: 2, arbitrary: referring }, strange);
  const account = fc.oneof({ weight: 19, arbitrary: token('accountId') }, anyValue);
  return fc
    .tuple(some, account, fc.constantFrom(...callIds))
    .map(([given, accountId, callId]) => [name, name === 'Core/echo' ? given : { accountId, ...given }, callId]);
});

/** What clients do: ask for ids, and in the same request for what has them. */
const chain: fc.Arbitrary<Invocation[]> = fc
  .constantFrom(
    ...([
      ['Email/query', '/ids', 'Email/get', 'ids'],
      ['Email/get', '/list/*/threadId', 'Thread/get', 'ids'],
      ['Email/get', '/list/*/blobId', 'Email/parse', 'blobIds'],
      ['Email/get', '/list/*/attachments/*/blobId', 'Email/parse', 'blobIds'],
      ['Thread/get', '/list/*/emailIds', 'Email/get', 'ids'],
      ['Email/query', '/ids', 'SearchSnippet/get', 'emailIds'],
      ['Email/get', '/list/*/blobId', 'Blob/get', 'ids'],
      ['Email/get', '/list/*/attachments/*/blobId', 'Blob/lookup', 'ids'],
      ['Email/changes', '/updated', 'Email/get', 'ids'],
      ['Mailbox/changes', '/updatedProperties', 'Mailbox/get', 'properties'],
    ] as const),
  )
  .chain(([first, path, second, argument]) =>
    fc.tuple(argumentRecord(first), argumentRecord(second)).map(([one, other]): Invocation[] => {
      const { [argument]: _, ...rest } = other;
      const accountId = '‹accountId 0›';
      return [
        [first, { accountId, ...one }, 'a'],
        [second, { accountId, ...rest, [`#${argument}`]: { resultOf: 'a', name: first, path } }, 'b'],
      ];
    }),
  );

function argumentRecord(method: string): fc.Arbitrary<JsonObject> {
  const table = Object.fromEntries(Object.entries(argumentsOf(method)).map(([name, value]) => [name, mostly(value)]));
  const isNeeded = (name: string) =>
    name.startsWith('since') || ['ids', 'emailIds', 'blobIds', 'filter', 'create', 'typeNames'].includes(name);
  const whole = fc.record<JsonObject>(table, { requiredKeys: Object.keys(table).filter(isNeeded) });
  return fc.oneof({ weight: 9, arbitrary: whole }, fc.record<JsonObject>(table, { requiredKeys: [] }));
}

const odd: fc.Arbitrary<Invocation> = fc.tuple(
  mostly(fc.constantFrom('Foo/get', 'Email/', '/get', 'error', '__proto__', 'constructor')),
  mostly(fc.constant({})),
  mostly(fc.constantFrom(...callIds)),
);

const methodCalls: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 16, arbitrary: fc.array(call, { minLength: 1, maxLength: 5 }) },
  { weight: 12, arbitrary: fc.tuple(chain, fc.array(call, { maxLength: 2 })).map(([two, more]) => [...two, ...more]) },
  fc.array(odd, { maxLength: 2 }),
  fc.array(call, { maxLength: 20 }),
  anyValue,
);

const using: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 40, arbitrary: fc.constant<JsonValue>([...capabilities]) },
  fc.subarray<string>([...capabilities, 'urn:x']),
  anyValue,
);

const request: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 40, arbitrary: fc.record<JsonObject>({ using, methodCalls }) },
  fc.record<JsonObject>({ using, methodCalls, createdIds: anyValue }),
  anyValue,
);

/** What is done to the text of a request: at a place (0 to 1 of its length), take out so many characters, put in others. */
const garbling = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat({ max: 4 }),
  fc.constantFrom(
    '',
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\\u',
    '\\ud800',
    '\0',
    '1e999',
    '-',
    '\ufeff',
    '\u{fffe}',
    ' '.repeat(2000),
  ),
);

/** The body of an API request, with `‹…›` for what is not known yet. */
export const requestBody: fc.Arbitrary<string> = fc
  .tuple(
    request.map((value) => JSON.stringify(value)),
    fc.oneof({ weight: 19, arbitrary: fc.constant([]) }, fc.array(garbling, { minLength: 1, maxLength: 3 })),
  )
  .map(([text, garblings]) => garblings.reduce(garbled, text));

function garbled(text: string, [at, removed, inserted]: [number, number, string]): string {
  const place = Math.floor(at * text.length);
  return text.slice(0, place) + inserted + text.slice(place + removed);
}
