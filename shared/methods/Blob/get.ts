// Blob/get (RFC 9404 §4.2)
import { isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { arrayOf, nullable, quote, string, unsignedInt } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { isId, type JsonObject } from '../../jmap/scalars.ts';
import { blobReference } from './blob-reference.ts';
import { type BlobPorts, blobFinder, type FoundBlob } from './find.ts';
import { openStretch, type Stretch } from './stretch.ts';

/** How much one call may read, and how much of it may be in the answer. */
export const getLimits = { octetsReadMax: 500_000_000, octetsShownMax: 50_000_000 } as const;

/** The algorithms of `digest:…` by the names of RFC 9404 §3.1, the better first, and what Node calls them. */
const digestAlgorithms: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['sha', 'sha1'],
]);

/** For `supportedDigestAlgorithms` of the capability. */
export const supportedDigestAlgorithms: readonly string[] = [...digestAlgorithms.keys()];

const properties: ReadonlySet<string> = new Set([
  'id',
  'size',
  'data',
  'data:asText',
  'data:asBase64',
  ...supportedDigestAlgorithms.map((algorithm) => `digest:${algorithm}`),
]);
const defaultProperties = ['data', 'size'];

/** Blobs have no state, and cannot be had all at once. */
export const getBlobs: AccountMethod<BlobPorts> = accountMethod(
  {
    ids: arrayOf(blobReference),
    properties: nullable(arrayOf(string)),
    offset: nullable(unsignedInt),
    length: nullable(unsignedInt),
  },
  async (args, ports: BlobPorts, { limits }) => {
    const wanted = new Set(args.properties ?? defaultProperties);
    const unknown = [...wanted].find((name) => !properties.has(name));
    if (unknown !== undefined) {
      return refuse(methodError('invalidArguments', `/properties: Blob has no property ${quote(unknown)}`));
    }
    const ids = new Set(args.ids);
    if (ids.size > limits.maxObjectsInGet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInGet} ids`));
    }
    const find = blobFinder(ports);
    const stretch = { offset: args.offset ?? 0, length: args.length };
    const budget = { read: getLimits.octetsReadMax, shown: getLimits.octetsShownMax };
    const list: JsonObject[] = [];
    const notFound: string[] = [];
    for (const id of ids) {
      const blob = isId(id) ? await find(id) : null;
      const shown = blob && (await blobObject(blob, stretch, wanted, budget));
      if (budget.read < 0 || budget.shown < 0) return refuse(methodError('requestTooLarge', 'too many octets'));
      if (shown === null) notFound.push(id);
      else list.push({ id, ...shown });
    }
    return ok({ response: { accountId: args.accountId, list, notFound } });
  },
);

/** How many more octets the call may read, and show. */
type Budget = { read: number; shown: number };

/** The asked properties of a blob; null when it is gone. What goes beyond the budget is not read. */
async function blobObject(
  blob: FoundBlob,
  stretch: Stretch,
  wanted: ReadonlySet<string>,
  budget: Budget,
): Promise<JsonObject | null> {
  const algorithms = supportedDigestAlgorithms.filter((algorithm) => wanted.has(`digest:${algorithm}`));
  const showsData = ['data', 'data:asText', 'data:asBase64'].some((name) => wanted.has(name));
  if (blob.size !== null && !showsData && algorithms.length === 0) {
    const { size } = blob;
    return { ...(wanted.has('size') ? { size } : {}), ...truncation(stretch, size, lengthWithin(stretch, size)) };
  }

  const opened = await openStretch(blob, stretch, wanted.has('size'));
  if (opened === null) return null;
  const digests = algorithms.map(
    (algorithm) => [algorithm, createHash(digestAlgorithms.get(algorithm) ?? '')] as const,
  );
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of opened.octets) {
    length += chunk.byteLength;
    budget.read -= chunk.byteLength;
    if (showsData) budget.shown -= chunk.byteLength;
    if (budget.read < 0 || budget.shown < 0) return null;
    for (const [, hash] of digests) hash.update(chunk);
    if (showsData) chunks.push(chunk);
  }
  const size = opened.size();
  return {
    ...dataProperties(Buffer.concat(chunks), wanted),
    ...digestProperties(digests),
    ...(wanted.has('size') ? { size } : {}),
    ...truncation(stretch, size, length),
  };
}

function dataProperties(octets: Buffer, wanted: ReadonlySet<string>): JsonObject {
  const asBase64 = () => ({ 'data:asBase64': octets.toString('base64') });
  const shown: JsonObject = wanted.has('data:asBase64') ? asBase64() : {};
  if (!wanted.has('data') && !wanted.has('data:asText')) return shown;
  const text = textOf(octets);
  if (text !== null) return { ...shown, 'data:asText': text };
  const isTextAsked = wanted.has('data:asText') ? { 'data:asText': null } : {};
  return { ...shown, ...isTextAsked, ...(wanted.has('data') ? asBase64() : {}), isEncodingProblem: true };
}

/** Null where the octets are not UTF-8, or hold characters that JSON may not (RFC 7493 §2.1). */
function textOf(octets: Buffer): string | null {
  if (!isUtf8(octets)) return null;
  const text = octets.toString('utf8');
  return /\p{Noncharacter_Code_Point}/u.test(text) ? null : text;
}

function digestProperties(digests: readonly (readonly [string, Hash])[]): JsonObject {
  return Object.fromEntries(digests.map(([algorithm, hash]) => [`digest:${algorithm}`, hash.digest('base64')]));
}

/** `isTruncated`, where the stretch begins or reaches beyond the end. `length`: what there is of it. */
function truncation({ offset, length: asked }: Stretch, size: number | null, length: number): JsonObject {
  const isTruncated = (size !== null && offset > size) || (asked !== null && length < asked);
  return isTruncated ? { isTruncated } : {};
}

function lengthWithin({ offset, length }: Stretch, size: number): number {
  return Math.max(0, Math.min(size, offset + (length ?? size)) - offset);
}
