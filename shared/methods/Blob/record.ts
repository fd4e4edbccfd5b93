import {
  arrayOf,
  type Grammar,
  id,
  narrowed,
  nullable,
  object,
  reference,
  string,
  unsignedInt,
} from '../../jmap/grammar.ts';
import { immutable, type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { Id } from '../../jmap/scalars.ts';

/** For `maxDataSources` of the capability; servers must allow 64 (RFC 9404 §3.1). */
export const maxDataSources = 100;

/** A DataSourceObject (RFC 9404 §4.1): text, octets in base64, or a stretch of another blob; one of them is there. */
export type DataSource = {
  'data:asText': string | null;
  'data:asBase64': string | null;
  blobId: Id | null;
  offset: number | null;
  length: number | null;
};

const dataSource: Grammar<DataSource> = narrowed(
  object({
    'data:asText': nullable(string),
    'data:asBase64': nullable(narrowed(string, (text) => (isBase64(text) ? undefined : 'is not base64'))),
    blobId: nullable(reference),
    offset: nullable(unsignedInt),
    length: nullable(unsignedInt),
  }),
  ({ blobId, offset, length, ...data }) => {
    const sources = [blobId, data['data:asText'], data['data:asBase64']].filter((source) => source !== null);
    if (sources.length !== 1) return 'expected exactly one of "data:asText", "data:asBase64" and "blobId"';
    return blobId === null && (offset ?? length) !== null ? 'only a blob has an offset and a length' : undefined;
  },
);

/** RFC 4648 §4, with padding and without line breaks. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** A blob as it is uploaded: an UploadObject (RFC 9404 §4.1). */
export const blobType = recordType('Blob', {
  id: serverSet(id),
  data: immutable(
    narrowed(arrayOf(dataSource), ({ length }) =>
      length > maxDataSources ? `expected at most ${maxDataSources} sources` : undefined,
    ),
  ),
  type: immutable(nullable(string)),
  size: serverSet(unsignedInt),
});

export type BlobRecord = RecordOf<typeof blobType>;
