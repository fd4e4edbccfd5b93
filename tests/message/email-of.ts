import type { JsonObject, JsonValue } from '../../shared/jmap/scalars.ts';
import { bodyParts, hasAttachment } from '../../shared/message/body-structure.ts';
import { bodyValue } from '../../shared/message/body-value.ts';
import { convenienceProperties, headerPropertyValue, parseHeaderProperty } from '../../shared/message/header-form.ts';
import { parseMessage, partBody } from '../../shared/message/parse-message.ts';
import { isMultipart, type Part } from '../../shared/message/part.ts';
import { partSize } from '../../shared/message/part-size.ts';
import { preview, previewParts } from '../../shared/message/preview.ts';
import { leaves } from './outline.ts';

/** What an Email shows of its content (RFC 8621 §4.1.2–4.1.4); lists of parts as part ids. */
export type EmailContent = {
  readonly properties: JsonObject;
  readonly preview: string;
  readonly bodyStructure: JsonObject;
  readonly bodyValues: JsonObject;
  readonly textBody: readonly string[];
  readonly htmlBody: readonly string[];
  readonly attachments: readonly string[];
};

/** The Email of a message whose octets are at hand. `headerProperties`: what is asked besides the convenience properties. */
export function emailOf(octets: Uint8Array, headerProperties: readonly string[] = []): EmailContent {
  const root = parseMessage(octets);
  const lists = bodyParts(root);
  const ids = (parts: readonly Part[]) => parts.map((part) => part.partId ?? '');
  const texts = leaves(root).filter((part) => part.type.startsWith('text/'));
  const properties: { [name: string]: JsonValue } = { hasAttachment: hasAttachment(root) };
  const wanted = [...convenienceProperties.values(), ...headerProperties.map(headerProperty)];
  for (const each of wanted) properties[each.property] = headerPropertyValue(root.headers ?? [], each) as JsonValue;
  return {
    properties,
    preview:
      previewParts(root)
        .map((part) => preview(part, partBody(octets, part)))
        .find((text) => text !== '') ?? '',
    bodyStructure: bodyPart(root),
    bodyValues: Object.fromEntries(
      texts.map((part) => [part.partId, { ...bodyValue(part, partBody(octets, part), { maxBodyValueBytes: 0 }) }]),
    ),
    textBody: ids(lists.textBody),
    htmlBody: ids(lists.htmlBody),
    attachments: ids(lists.attachments),
  };
}

function headerProperty(name: string) {
  const parsed = parseHeaderProperty(name);
  if (!parsed.ok) throw new Error(`${name} is no header property`);
  return parsed.value;
}

function bodyPart(part: Part): JsonObject {
  const { partId, type, charset, disposition, name, cid, language, location } = part;
  const own = { partId, type, charset, disposition, name, cid, location, language: language && [...language] };
  return isMultipart(part) ? { ...own, subParts: part.subParts.map(bodyPart) } : { ...own, size: partSize(part) };
}
