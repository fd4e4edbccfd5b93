import fc from 'fast-check';
import type { Members } from '../../shared/jmap/grammar.ts';
import type { RecordType } from '../../shared/jmap/record-type.ts';
import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import type { SortTable } from '../../shared/jmap/standard/comparator.ts';
import { emailFilter } from '../../shared/methods/Email/filter.ts';
import { getArguments } from '../../shared/methods/Email/get.ts';
import { emailQuery } from '../../shared/methods/Email/query.ts';
import { emailType } from '../../shared/methods/Email/record.ts';
import { submissionQuery } from '../../shared/methods/EmailSubmission/query.ts';
import { emailSubmissionType } from '../../shared/methods/EmailSubmission/record.ts';
import { identityType } from '../../shared/methods/Identity/record.ts';
import { mailboxQuery } from '../../shared/methods/Mailbox/query.ts';
import { mailboxType } from '../../shared/methods/Mailbox/record.ts';
import { mdnType } from '../../shared/methods/MDN/record.ts';
import { quotaQuery } from '../../shared/methods/Quota/query.ts';
import { quotaType } from '../../shared/methods/Quota/record.ts';
import { sieveScriptQuery } from '../../shared/methods/SieveScript/query.ts';
import { sieveScriptType } from '../../shared/methods/SieveScript/record.ts';
import { threadType } from '../../shared/methods/Thread/record.ts';
import { vacationType } from '../../shared/methods/VacationResponse/record.ts';
import { acceptedBy, anyValue, type Kind, mostly, token } from './values.ts';

/** What is known of a type's arguments beyond the standard ones (RFC 8620 §5). */
type TypeTables = {
  readonly record: RecordType;
  /** What its ids are called in `‹…›`. */
  readonly id: Kind;
  readonly query?: { readonly filter: Members; readonly sort: SortTable; readonly args: Members };
  readonly get?: Members;
};

const types: { readonly [name: string]: TypeTables } = {
  Email: { record: emailType, id: 'emailId', query: emailQuery, get: getArguments },
  Mailbox: { record: mailboxType, id: 'mailboxId', query: mailboxQuery },
  Thread: { record: threadType, id: 'threadId' },
  Identity: { record: identityType, id: 'identityId' },
  EmailSubmission: { record: emailSubmissionType, id: 'submissionId', query: { ...submissionQuery, args: {} } },
  SieveScript: { record: sieveScriptType, id: 'blobId', query: { ...sieveScriptQuery, args: {} } },
  VacationResponse: { record: vacationType, id: 'blobId' },
  Quota: { record: quotaType, id: 'blobId', query: { ...quotaQuery, args: {} } },
};

type Arguments = { readonly [name: string]: fc.Arbitrary<JsonValue> };

/** Each argument of the method with what it may be; those of a method that nothing is known of may be anything. */
export function argumentsOf(method: string): Arguments {
  const [type = '', verb = ''] = method.split('/');
  const own = special[method];
  if (own !== undefined) return own;
  const tables = types[type];
  return (tables && standard[verb]?.(tables)) ?? {};
}

/** The verbs of §5, and of every type alike. */
const standard: { readonly [verb: string]: (tables: TypeTables) => Arguments } = {
  get: ({ id, record, get = {} }) => ({
    ids: nullable(ids(id)),
    properties: properties(record),
    ...argumentsFrom(get),
  }),
  changes: () => ({ sinceState: token('state'), maxChanges: count }),
  query: (tables) => ({
    ...conditions(tables),
    ...{ position: count, anchor: token(tables.id), anchorOffset: count, limit: count },
  }),
  queryChanges: (tables) => ({
    ...conditions(tables),
    ...{ sinceQueryState: token('queryState'), maxChanges: count, upToId: token(tables.id) },
  }),
  set: ({ id, record }) => ({
    ifInState: token('state'),
    create: mapOf(fc.constantFrom('k1', 'k2'), recordOf(record)),
    update: mapOf(token(id), recordOf(record)),
    destroy: ids(id),
  }),
  copy: ({ id, record }) => ({
    ...{ fromAccountId: token('accountId'), ifInState: token('state'), ifFromInState: token('state') },
    create: mapOf(
      fc.constantFrom('k1', 'k2'),
      fc.tuple(token(id), recordOf(record)).map(([of, rest]) => ({ ...rest, id: of })),
    ),
    ...{ onSuccessDestroyOriginal: fc.boolean(), destroyFromIfInState: token('state') },
  }),
};

const creationIds = ['b1', 'b2', 'b3'];

const special: { readonly [method: string]: Arguments } = {
  'Core/echo': { any: anyValue },
  'Email/parse': {
    blobIds: fc.array(token('blobId'), { maxLength: 3 }),
    properties: properties(emailType),
    ...argumentsFrom(getArguments),
  },
  'Email/import': {
    ifInState: token('state'),
    emails: mapOf(fc.constantFrom('k1', 'k2'), imports()),
  },
  'Identity/set': {
    ifInState: token('state'),
    create: mapOf(fc.constantFrom('k1', 'k2'), identities()),
    update: mapOf(token('identityId'), recordOf(identityType)),
    destroy: ids('identityId'),
  },
  'EmailSubmission/set': {
    ifInState: token('state'),
    create: mapOf(fc.constantFrom('k1', 'k2'), submissions()),
    update: mapOf(token('submissionId'), fc.constant<JsonObject>({ undoStatus: 'canceled' })),
    destroy: ids('submissionId'),
    onSuccessUpdateEmail: mapOf(sent(), fc.constant<JsonObject>({ 'keywords/$draft': null, 'keywords/$seen': true })),
    onSuccessDestroyEmail: fc.array(sent(), { maxLength: 2 }),
  },
  'MDN/parse': { blobIds: blobReferences() },
  'MDN/send': {
    identityId: fc.constant('Idefault'),
    send: mapOf(fc.constantFrom('k1', 'k2'), recordOf(mdnType)),
    onSuccessUpdateEmail: mapOf(fc.constantFrom('#k1', '#k2'), fc.constant<JsonObject>({ 'keywords/$mdnsent': true })),
  },
  'SieveScript/validate': { blobId: blobReference() },
  'SieveScript/set': {
    create: mapOf(fc.constantFrom('k1', 'k2'), scripts()),
    update: mapOf(fc.constantFrom('#k1', '#k2'), scripts()),
    destroy: fc.subarray<JsonValue>(['#k1', '#k2', 's0']),
    onSuccessActivateScript: fc.constantFrom('#k1', '#k2', 's0'),
    onSuccessDeactivateScript: fc.boolean(),
  },
  'VacationResponse/set': {
    ifInState: token('state'),
    update: mapOf(fc.constantFrom('singleton', 'x'), recordOf(vacationType)),
  },
  'SearchSnippet/get': { filter: filterOf(emailFilter), emailIds: ids('emailId') },
  'Blob/get': {
    ids: ids('blobId'),
    properties: nullable(
      fc.subarray(['id', 'size', 'data', 'data:asText', 'data:asBase64', 'digest:sha', 'digest:sha-256']),
    ),
    ...stretch(),
  },
  'Blob/lookup': {
    ids: blobReferences(),
    typeNames: fc.subarray(['Email', 'Thread', 'Mailbox', 'SieveScript', 'Blob']),
  },
  'Blob/copy': { fromAccountId: token('accountId'), blobIds: blobReferences() },
  'Blob/upload': {
    create: mapOf(
      fc.constantFrom(...creationIds),
      fc.record<JsonObject>({ data: fc.array(mostly(dataSource()), { maxLength: 3 }) }),
    ),
  },
};

/** Scripts that there are, scripts that are none, and names of all kinds. */
function scripts(): fc.Arbitrary<JsonObject> {
  const names = fc.constantFrom<JsonValue>(
    null,
    '',
    'main',
    'a\r\nb',
    'a"\\b',
    'drei ü',
    'postern-vacation',
    'x'.repeat(600),
  );
  return fc.record<JsonObject>({ name: mostly(names), blobId: blobReference() }, { requiredKeys: [] });
}

function imports(): fc.Arbitrary<JsonObject> {
  const more = {
    keywords: mapOf(fc.constantFrom('$seen', '$Draft', 'a b', '__proto__'), fc.constant(true)),
    receivedAt: fc.constantFrom<JsonValue>(
      '2026-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:60Z',
      null,
    ),
  };
  const mailboxIds = mapOf(token('mailboxId'), fc.constant(true));
  return fc.record<JsonObject>(
    { blobId: blobReference(), mailboxIds, ...more },
    { requiredKeys: ['blobId', 'mailboxIds'] },
  );
}

/** Addresses that the user may send from and to, and others. */
function addresses(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('anna@example.com', 'bob@example.org') },
    fc.constantFrom('', '@', '*@example.com', 'a@b\r\nRCPT TO:<x@y>', '<anna@example.com>', 'ä@exämple.org', '"a b"@c'),
  );
}

function identities(): fc.Arbitrary<JsonObject> {
  return fc.tuple(recordOf(identityType), mostly(addresses())).map(([rest, email]) => ({ ...rest, email }));
}

function submissions(): fc.Arbitrary<JsonObject> {
  const parameters = fc.constantFrom<JsonValue>(
    null,
    { HOLDFOR: '60' },
    { HOLDUNTIL: '2026-01-02T00:00:00Z' },
    { SIZE: null, RET: 'HDRS', ENVID: 'a b' },
    { __proto__: 'x', 'NOTIFY=': '\r\n' },
  );
  const address = fc.record<JsonObject>({ email: addresses(), parameters }, { requiredKeys: ['email'] });
  const envelope = fc.record<JsonObject>({ mailFrom: address, rcptTo: fc.array(address, { maxLength: 3 }) });
  const identityId = fc.oneof(fc.constant('Idefault'), token('identityId'));
  return fc.record<JsonObject>(
    { identityId, emailId: mostly(token('emailId')), envelope: nullable(mostly(envelope)) },
    { requiredKeys: ['identityId', 'emailId'] },
  );
}

/** A submission of the same request, or one that is known. */
function sent(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('#k1', '#k2'), token('submissionId'));
}

/** Bytes beyond the ends, too. */
function stretch(): Arguments {
  const octets = nullable(fc.constantFrom(0, 1, 10, 1_000, 2 ** 31, 2 ** 53 - 1));
  return { offset: octets, length: octets };
}

/** A DataSourceObject (RFC 9404 §4.1). */
function dataSource(): fc.Arbitrary<JsonValue> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }).map((text): JsonValue => ({ 'data:asText': text })),
    fc.base64String({ maxLength: 16 }).map((octets): JsonValue => ({ 'data:asBase64': octets })),
    fc.record<JsonObject>({ blobId: blobReference(), ...stretch() }, { requiredKeys: ['blobId'] }),
  );
}

function blobReferences(): fc.Arbitrary<JsonValue> {
  return fc.array(mostly(blobReference()), { maxLength: 4 });
}

/** A blob that is known, or one that is made in the same request. */
function blobReference(): fc.Arbitrary<JsonValue> {
  return fc.oneof({ weight: 3, arbitrary: token('blobId') }, fc.constantFrom(...creationIds.map((id) => `#${id}`)));
}

const count = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(1, 2, 3, 50) }, fc.integer({ min: -5, max: 5 }));

function conditions({ query }: TypeTables): Arguments {
  const { filter = {}, sort = {}, args = {} } = query ?? {};
  return {
    filter: nullable(filterOf(filter)),
    sort: nullable(fc.array(comparatorOf(sort), { maxLength: 3 })),
    calculateTotal: fc.boolean(),
    ...argumentsFrom(args),
  };
}

/** A filter tree (§5.5) of the table's conditions. */
function filterOf(table: Members): fc.Arbitrary<JsonValue> {
  const conditions = Object.entries(table).map(([name, grammar]) => [name, mostly(acceptedBy(grammar))] as const);
  const condition = fc.record<JsonObject>(Object.fromEntries(conditions), { requiredKeys: [] });
  const few = fc
    .tuple(condition, fc.subarray(Object.keys(table), { maxLength: 2 }))
    .map(([all, kept]) => Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name))));
  return fc.letrec<{ filter: JsonValue; operator: JsonValue }>((tie) => ({
    filter: fc.oneof({ maxDepth: 4, depthSize: 'small' }, mostly(few), tie('operator')),
    operator: fc.record<JsonObject>({
      operator: fc.constantFrom('AND', 'OR', 'NOT'),
      conditions: fc.array(tie('filter'), { maxLength: 3 }),
    }),
  })).filter;
}

function comparatorOf(table: SortTable): fc.Arbitrary<JsonValue> {
  const names = Object.keys(table);
  const comparator = fc.constantFrom(...(names.length > 0 ? names : ['id'])).chain((property) =>
    fc.record<JsonObject>(
      {
        property: fc.constant(property),
        isAscending: fc.boolean(),
        collation: fc.constantFrom('i;ascii-casemap', 'i;unicode-casemap', 'i;octet'),
        ...argumentsFrom(table[property] ?? {}),
      },
      { requiredKeys: ['property'] },
    ),
  );
  return mostly(comparator);
}

/** Names of properties: every one the type has, header forms among them, and others. */
function properties({ properties: table }: RecordType): fc.Arbitrary<JsonValue> {
  const forms = ['', ':asRaw', ':asText', ':asAddresses', ':asGroupedAddresses', ':asMessageIds', ':asDate', ':asURLs'];
  const header = fc
    .tuple(
      fc.constantFrom('From', 'subject', 'Date', 'List-Post', 'References', 'X-Any'),
      fc.constantFrom(...forms),
      fc.constantFrom('', ':all'),
    )
    .map(([field, form, all]) => `header:${field}${form}${all}`);
  const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...Object.keys(table)) }, header);
  return nullable(mostly(fc.array(mostly(name), { maxLength: 8 })));
}

function recordOf({ properties: table }: RecordType): fc.Arbitrary<JsonObject> {
  return fc.record<JsonObject>(argumentsFrom(table), { requiredKeys: [] });
}

function argumentsFrom(members: Members): Arguments {
  return Object.fromEntries(Object.entries(members).map(([name, grammar]) => [name, acceptedBy(grammar)]));
}

function ids(kind: Kind): fc.Arbitrary<JsonValue> {
  return fc.array(mostly(token(kind)), { maxLength: 6 });
}

function mapOf(key: fc.Arbitrary<string>, value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

function nullable(arbitrary: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.oneof({ weight: 4, arbitrary }, fc.constant(null));
}
