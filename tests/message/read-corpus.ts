import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import { convenienceProperties } from '../../shared/message/header-form.ts';

/** A leaf as its JSON file describes it; what is left out is null. */
export type ExpectedLeaf = JsonObject & {
  readonly partId: string;
  readonly type: string;
  /** The decoded octets, each as one character. */
  readonly octets: string;
  /** The `EmailBodyValue` of a text. */
  readonly value?: string;
  readonly isEncodingProblem?: boolean;
};
export type ExpectedMultipart = JsonObject & { readonly type: string; readonly subParts: readonly ExpectedPart[] };
export type ExpectedPart = ExpectedLeaf | ExpectedMultipart;

/** A message and what RFC 8621 §4.1 says of it. */
export type CorpusMessage = {
  readonly name: string;
  readonly octets: Buffer;
  /** What makes it worth a place. */
  readonly about: string;
  /** The properties that come from header fields, and `hasAttachment`. */
  readonly properties: JsonObject;
  readonly preview: string;
  readonly bodyStructure: ExpectedPart;
  /** Mail servers that do not take it, and those that store other octets. */
  readonly refusedBy: readonly string[];
  readonly changedBy: readonly string[];
  /** Mail servers of which the BODYSTRUCTURE tells other parts or octets, each consistently, and what it tells. */
  readonly readOtherwiseBy: Readonly<Record<string, string>>;
  /** Part ids. */
  readonly textBody: readonly string[];
  readonly htmlBody: readonly string[];
  readonly attachments: readonly string[];
};

/** `tests/corpus`: `NNN-name.eml`, the octets of a message, beside `NNN-name.json`, what they mean. */
export function readCorpus(): CorpusMessage[] {
  const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../corpus');
  const names = readdirSync(folder).filter((file) => /^\d{3}-.*\.eml$/.test(file));
  return names.sort().map((file) => {
    const name = file.replace(/\.eml$/, '');
    const expected = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Omit<
      CorpusMessage,
      'name' | 'octets' | 'properties'
    > &
      JsonObject;
    const {
      about,
      refusedBy = [],
      changedBy = [],
      readOtherwiseBy = {},
      preview,
      bodyStructure,
      textBody,
      htmlBody,
      attachments,
      ...properties
    } = expected;
    return {
      ...{
        name,
        about,
        refusedBy,
        changedBy,
        readOtherwiseBy,
        preview,
        bodyStructure,
        textBody,
        htmlBody,
        attachments,
      },
      octets: readFileSync(path.join(folder, file)),
      properties: { ...noConveniences, ...properties },
    };
  });
}

const noConveniences: JsonObject = Object.fromEntries([...convenienceProperties.keys()].map((name) => [name, null]));
const nothing = { charset: null, disposition: null, name: null, cid: null, language: null, location: null };

/** The EmailBodyPart that a description means, without blob ids. */
export function expectedBodyPart(part: ExpectedPart): JsonObject {
  if (!isLeaf(part)) {
    const { subParts, ...own } = part;
    return { ...nothing, partId: null, ...own, subParts: subParts.map(expectedBodyPart) };
  }
  const { octets, value: _, isEncodingProblem: __, ...own } = part;
  return { ...nothing, ...own, size: octets.length };
}

/** The `bodyValues` of all texts. */
export function expectedBodyValues(root: ExpectedPart): JsonObject {
  const values: JsonObject = {};
  for (const { partId, value, isEncodingProblem = false } of leavesOf(root)) {
    if (value !== undefined) values[partId] = { value, isEncodingProblem, isTruncated: false } satisfies JsonValue;
  }
  return values;
}

export function leavesOf(part: ExpectedPart): ExpectedLeaf[] {
  return isLeaf(part) ? [part] : part.subParts.flatMap(leavesOf);
}

function isLeaf(part: ExpectedPart): part is ExpectedLeaf {
  return !Array.isArray(part.subParts);
}
