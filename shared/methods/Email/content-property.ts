import type { Id, JsonValue } from '../../jmap/scalars.ts';
import { bodyParts } from '../../message/body-structure.ts';
import { headerPropertyValue } from '../../message/header-form.ts';
import type { Part } from '../../message/part.ts';
import { type BodyProperties, emailBodyPart } from './body-part.ts';
import type { Content } from './content.ts';
import type { Plan } from './plan.ts';

/** Which properties of an Email are asked for, and what follows from that. */
export type PropertyRequest = {
  readonly properties: readonly string[];
  readonly plan: Plan;
  readonly bodyProperties: BodyProperties;
};

/** A property of a message that its content tells (RFC 8621 §4.1.2–4.1.4). `blobId` is that of the message. */
export function contentProperty(
  name: string,
  blobId: Id,
  content: Content,
  { plan, bodyProperties }: PropertyRequest,
): JsonValue {
  const { headers, structure } = content;
  const list = (parts: readonly Part[]) => parts.map((part) => emailBodyPart(blobId, part, bodyProperties, false));
  switch (name) {
    case 'headers':
      return headers.map((header) => ({ ...header }));
    case 'bodyStructure':
      return structure === null ? null : emailBodyPart(blobId, structure, bodyProperties, true);
    case 'textBody':
    case 'htmlBody':
    case 'attachments':
      return structure === null ? [] : list(bodyParts(structure)[name]);
    case 'bodyValues':
      return content.bodyValues;
    case 'hasAttachment':
      return content.hasAttachment;
    case 'preview':
      return content.preview;
    default: {
      const property = plan.headerProperties.get(name);
      if (property === undefined) throw new Error(`Could not read the property ${name}: it was never checked`);
      return headerPropertyValue(headers, property) as JsonValue;
    }
  }
}
