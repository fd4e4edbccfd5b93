import type { JsonObject, JsonValue } from '../../jmap/scalars.ts';
import { convenienceProperties, type HeaderProperty, isHeaderProperty, parseHeaderProperty } from '../header-form.ts';
import { headerValue } from './header-value.ts';

/** A header field as it is written: `value` is what stands behind the colon, with its folding, without the last CRLF. */
export type Field = { readonly name: string; readonly value: string };

/** Header fields that are to be written, by their names in lower case: the instances of each, and the property that gave them. */
export type GivenFields = ReadonlyMap<string, { readonly property: string; readonly fields: readonly Field[] }>;

/** Names as RFC 5322 and RFC 2045 write them; other fields are written as the property spells them. */
const fieldNames: ReadonlyMap<string, string> = new Map(
  [
    ...['Message-ID', 'In-Reply-To', 'References', 'Sender', 'From', 'To', 'Cc', 'Bcc', 'Reply-To', 'Subject', 'Date'],
    ...['MIME-Version', 'Content-Type', 'Content-ID', 'Content-Disposition', 'Content-Language', 'Content-Location'],
  ].map((name) => [name.toLowerCase(), name]),
);

/**
 * The header fields that the properties of an Email or of an EmailBodyPart ask for (RFC 8621 §4.1.2, §4.1.3, §4.6): `header:…` in every
 * form, and of an Email the convenience properties. Null stands for no field. Objected to: two properties for one field,
 * and what cannot be written. Members that are no header properties are passed over.
 */
export function givenFields(
  properties: JsonObject,
  object: (property: string, reason: string) => void,
  conveniences: ReadonlyMap<string, HeaderProperty> = convenienceProperties,
): GivenFields {
  const given = new Map<string, { property: string; fields: Field[] }>();
  for (const [name, value] of Object.entries(properties)) {
    const property = conveniences.get(name) ?? (isHeaderProperty(name) ? headerProperty(name, object) : undefined);
    if (property === undefined || value === null || value === undefined) continue;
    const other = given.get(property.field);
    if (other !== undefined) {
      object(other.property, `is the same header field as ${name}`);
      object(name, `is the same header field as ${other.property}`);
      continue;
    }
    const fields = fieldsOf(property, value, (reason) => object(name, reason));
    given.set(property.field, { property: name, fields });
  }
  return given;
}

function headerProperty(name: string, object: (property: string, reason: string) => void): HeaderProperty | undefined {
  const property = parseHeaderProperty(name);
  if (property.ok) return property.value;
  object(name, property.error.description ?? 'is no header property');
  return undefined;
}

function fieldsOf(property: HeaderProperty, value: JsonValue, object: (reason: string) => void): Field[] {
  if (property.isAll && !Array.isArray(value)) {
    object('expected an array');
    return [];
  }
  const name =
    fieldNames.get(property.field) ?? property.property.slice('header:'.length).slice(0, property.field.length);
  const fields: Field[] = [];
  for (const each of property.isAll && Array.isArray(value) ? value : [value]) {
    const written = headerValue(name, property.form, each);
    if (!written.ok) object(written.error);
    else if (written.value !== null) fields.push({ name, value: written.value });
  }
  return fields;
}
