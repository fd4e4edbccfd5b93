// Email/parse (RFC 8621 §4.9)
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { arrayOf, isObject, nullable, quote, string } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { propertyOf } from '../../jmap/record-type.ts';
import { type Id, isId, type JsonObject, type JsonValue } from '../../jmap/scalars.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import type { ParsedMessage } from '../../message/section.ts';
import { blobReference } from '../Blob/blob-reference.ts';
import { type BlobPorts, blobFinder, type FoundBlob } from '../Blob/find.ts';
import { blobDepthMax } from './blob-id.ts';
import { parseBodyProperties } from './body-part.ts';
import { bodyOctetsMax } from './body-values.ts';
import { readContent } from './content.ts';
import { contentProperty, type PropertyRequest } from './content-property.ts';
import { getArguments } from './get.ts';
import { beginsLikeMessage, headerStartOctets, parsedMessage, parsedMessages } from './parsed-message.ts';
import { planOf } from './plan.ts';
import { emailType } from './record.ts';

/** Octets that one call may read, of each message, and of the body values of all but a single one. */
export const parseLimits = {
  octetsMax: 200_000_000,
  octetsOfEachMax: 50_000_000,
  bodyOctetsMax,
} as const;

/** What `properties` stands for when it is left out. */
const defaultProperties: readonly string[] = [
  'messageId',
  'inReplyTo',
  'references',
  'sender',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'sentAt',
  'hasAttachment',
  'preview',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
];

/**
 * Any blob as an Email: whatever begins with a header field is a message. One that is too large, or lies within too many
 * others, is `notParsable`.
 */
export const emailParse: AccountMethod<BlobPorts> = accountMethod(
  { ...getArguments, blobIds: arrayOf(blobReference), properties: nullable(arrayOf(string)) },
  async (args, ports: BlobPorts, { limits }) => {
    const properties = [...new Set(args.properties ?? defaultProperties)];
    const unknown = properties.find((name) => propertyOf(emailType, name) === undefined);
    if (unknown !== undefined) {
      return refuse(methodError('invalidArguments', `/properties: Email has no property ${quote(unknown)}`));
    }
    const bodyProperties = parseBodyProperties(args.bodyProperties);
    if (!bodyProperties.ok) return bodyProperties;
    const blobIds = new Set(args.blobIds);
    if (blobIds.size > limits.maxObjectsInGet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInGet} blobs`));
    }
    const request = {
      properties,
      bodyProperties: bodyProperties.value,
      plan: planOf(properties, args, bodyProperties.value),
    };

    const find = blobFinder(ports);
    const parsed = new Map<string, JsonObject>();
    const notParsable: string[] = [];
    const notFound: string[] = [];
    const budget = { octetsLeft: parseLimits.octetsMax };
    let bodyOctets = 0;
    for (const blobId of blobIds) {
      const blob = isId(blobId) ? await find(blobId) : null;
      const message = blob && (await messageOf(blob, budget));
      if (budget.octetsLeft < 0) {
        return refuse(methodError('requestTooLarge', `more than ${parseLimits.octetsMax} octets`));
      }
      if (message === null || !isId(blobId)) {
        notFound.push(blobId);
        continue;
      }
      if (message === 'notParsable') {
        notParsable.push(blobId);
        continue;
      }
      const email = await parsedEmail(blobId, message, request);
      bodyOctets += bodyOctetsOf(email);
      if (bodyOctets > parseLimits.bodyOctetsMax && parsed.size > 0) {
        return refuse(methodError('requestTooLarge', `more than ${parseLimits.bodyOctetsMax} octets of body values`));
      }
      parsed.set(blobId, email);
    }
    return ok({
      response: {
        accountId: args.accountId,
        parsed: mapOrNull(parsed),
        notParsable: notParsable.length === 0 ? null : notParsable,
        notFound: notFound.length === 0 ? null : notFound,
      },
    });
  },
);

/**
 * Null when the blob is not there after all. What is no message, or too large, is read no further than it takes to see that; nothing is beyond
 * the budget.
 */
async function messageOf(
  { depth, open }: FoundBlob,
  budget: { octetsLeft: number },
): Promise<ParsedMessage | 'notParsable' | null> {
  const opened = await open();
  if (opened === null) return null;
  const octetsMax = depth < blobDepthMax ? parseLimits.octetsOfEachMax : 0;
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of opened.octets) {
    const isBegun = size >= headerStartOctets;
    size += chunk.byteLength;
    budget.octetsLeft -= chunk.byteLength;
    if (size > octetsMax || budget.octetsLeft < 0) return 'notParsable';
    chunks.push(chunk);
    if (!isBegun && size >= headerStartOctets && !beginsLikeMessage(Buffer.concat(chunks))) return 'notParsable';
  }
  return parsedMessage(Buffer.concat(chunks)) ?? 'notParsable';
}

async function parsedEmail(blobId: Id, message: ParsedMessage, request: PropertyRequest): Promise<JsonObject> {
  const subject = { blobId, place: message, hasAttachment: null };
  const contents = await readContent([subject], request.plan, parsedMessages);
  const content = contents.ok ? contents.value.get(blobId) : undefined;
  if (content === undefined) throw new Error(`Could not read the message ${blobId}: it was at hand`);
  const email: JsonObject = {};
  for (const name of request.properties) {
    const known = metadata(name, blobId, message);
    email[name] = known === undefined ? contentProperty(name, blobId, content, request) : known;
  }
  return email;
}

function bodyOctetsOf({ bodyValues = null }: JsonObject): number {
  if (!isObject(bodyValues)) return 0;
  let octets = 0;
  for (const each of Object.values(bodyValues)) {
    if (isObject(each) && typeof each.value === 'string') octets += Buffer.byteLength(each.value);
  }
  return octets;
}

/** The properties of §4.1.1: a blob is in no mailbox, and of no Thread. Undefined for any other. */
function metadata(name: string, blobId: Id, { octets }: ParsedMessage): JsonValue | undefined {
  switch (name) {
    case 'blobId':
      return blobId;
    case 'size':
      return octets.byteLength;
    case 'id':
    case 'threadId':
    case 'mailboxIds':
    case 'keywords':
    case 'receivedAt':
      return null;
    default:
      return undefined;
  }
}
