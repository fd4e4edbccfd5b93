import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import { quote } from '../../jmap/grammar.ts';
import type { Id, JsonObject, JsonValue } from '../../jmap/scalars.ts';
import {
  type HeaderProperty,
  headerPropertyValue,
  isHeaderProperty,
  parseHeaderProperty,
} from '../../message/header-form.ts';
import { isMultipart, type Part } from '../../message/part.ts';
import { partSize } from '../../message/part-size.ts';
import { partBlobId } from './blob-id.ts';

/** What `bodyProperties` stands for when it is left out (RFC 8621 §4.2). */
export const defaultBodyProperties = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
];

const plainProperties = new Set([...defaultBodyProperties, 'headers', 'subParts']);

/** The `bodyProperties` argument, read once per call. */
export type BodyProperties = {
  readonly names: readonly string[];
  readonly headerProperties: ReadonlyMap<string, HeaderProperty>;
  /** Some property needs the header fields of the parts. */
  readonly needsHeaders: boolean;
};

/** Checks the `bodyProperties` argument (§4.2); an unknown property is `invalidArguments`. */
export function parseBodyProperties(given: readonly string[]): Result<BodyProperties, MethodError> {
  const headerProperties = new Map<string, HeaderProperty>();
  for (const name of given) {
    if (plainProperties.has(name)) continue;
    if (!isHeaderProperty(name)) {
      return refuse(methodError('invalidArguments', `/bodyProperties: EmailBodyPart has no property ${quote(name)}`));
    }
    const property = parseHeaderProperty(name);
    if (!property.ok) return property;
    headerProperties.set(name, property.value);
  }
  const needsHeaders = headerProperties.size > 0 || given.includes('headers');
  return ok({ names: [...new Set(given)], headerProperties, needsHeaders });
}

/**
 * The EmailBodyPart object (RFC 8621 §4.1.4) of a part of this message with the asked properties. `subParts` is always there for a multipart within
 * `bodyStructure`, since without it the structure would not be told.
 */
export function emailBodyPart(
  messageBlobId: Id,
  part: Part,
  properties: BodyProperties,
  isNested: boolean,
): JsonObject {
  const object: JsonObject = {};
  for (const name of properties.names) {
    if (name !== 'subParts') object[name] = propertyOf(messageBlobId, part, name, properties);
  }
  if (isNested && isMultipart(part)) {
    object.subParts = part.subParts.map((child) => emailBodyPart(messageBlobId, child, properties, true));
  } else if (properties.names.includes('subParts')) {
    object.subParts = null;
  }
  return object;
}

function propertyOf(messageBlobId: Id, part: Part, name: string, properties: BodyProperties): JsonValue {
  switch (name) {
    case 'partId':
      return part.partId;
    case 'blobId':
      return part.partId === null ? null : partBlobId(messageBlobId, part.partId);
    case 'size':
      return partSize(part);
    case 'name':
      return part.name;
    case 'type':
      return part.type;
    case 'charset':
      return part.charset;
    case 'disposition':
      return part.disposition;
    case 'cid':
      return part.cid;
    case 'language':
      return part.language === null ? null : [...part.language];
    case 'location':
      return part.location;
    case 'headers':
      return (part.headers ?? []).map((header) => ({ ...header }));
    default: {
      const property = properties.headerProperties.get(name);
      if (property === undefined) throw new Error(`Could not read the body property ${name}: it was never checked`);
      return headerPropertyValue(part.headers ?? [], property) as JsonValue;
    }
  }
}
