// Email/get (RFC 8621 §4.2)
import { stateOf } from '../../catalog/changes.ts';
import type { Email } from '../../catalog/email.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import { arrayOf, boolean, string, unsignedInt, withDefault } from '../../jmap/grammar.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { CanGet, GetRequest, Got, Some } from '../../jmap/verbs.ts';
import { allOf } from '../all-of.ts';
import { messageBlobId } from './blob-id.ts';
import { type BodyProperties, defaultBodyProperties, parseBodyProperties } from './body-part.ts';
import { type Content, readContent } from './content.ts';
import { emailObject } from './email-object.ts';
import { placesOf } from './places.ts';
import { type Plan, planOf } from './plan.ts';
import type { EmailPorts, EmailRecord } from './record.ts';

/** The arguments of Email/get besides the standard ones. */
export const getArguments = {
  bodyProperties: withDefault(arrayOf(string), defaultBodyProperties),
  fetchTextBodyValues: withDefault(boolean, false),
  fetchHTMLBodyValues: withDefault(boolean, false),
  fetchAllBodyValues: withDefault(boolean, false),
  maxBodyValueBytes: withDefault(unsignedInt, 0),
};

export type GetArguments = {
  readonly bodyProperties: string[];
  readonly fetchTextBodyValues: boolean;
  readonly fetchHTMLBodyValues: boolean;
  readonly fetchAllBodyValues: boolean;
  readonly maxBodyValueBytes: number;
};

/** The arguments where nothing but properties is asked for. */
export const plainArguments: GetArguments = {
  bodyProperties: [...defaultBodyProperties],
  fetchTextBodyValues: false,
  fetchHTMLBodyValues: false,
  fetchAllBodyValues: false,
  maxBodyValueBytes: 0,
};

/** What `properties: null` stands for (§4.2). */
export const defaultProperties = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
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
] as const;

/**
 * Metadata comes from the catalog; the mail server is asked for what the properties need and nothing else. An Email that
 * left its place between the catalog's version and the reading is looked up once more in a new version, so that a moved
 * message is never called `notFound`. While mailboxes are missing (first contact), Emails that are in are served.
 */
export function canGetEmails(ports: EmailPorts): CanGet<EmailRecord, GetArguments> {
  return {
    state: async () => stateOf(await ports.catalog.view('recent', () => true), 'Email'),
    get: async (request) => {
      const bodyProperties = parseBodyProperties(request.args.bodyProperties);
      if (!bodyProperties.ok) return bodyProperties;
      const plan = planOf(request.properties, request.args, bodyProperties.value);
      const contents = new Map<Id, Content>();
      const from = (view: CatalogView) =>
        getFrom(view, request, { plan, bodyProperties: bodyProperties.value, contents }, ports);
      const first = await from(await viewWith(request.ids, ports.catalog));
      if (!first.ok || first.value.missing.length === 0) return first;
      return from(await ports.catalog.view('now'));
    },
  };
}

/** A recent view that can tell of all these Emails: one that lacks mailboxes may not know an Email that exists. */
async function viewWith(ids: readonly Id[] | null, catalog: EmailPorts['catalog']): Promise<CatalogView> {
  if (ids === null) return catalog.view('recent');
  const view = await catalog.view('recent', () => true);
  if (!view.provisional || (await view.emails(ids)).size === ids.length) return view;
  return catalog.view('recent');
}

/** `contents`: what has been read, by blob id; it is the same in every view. */
type Reading = { readonly plan: Plan; readonly bodyProperties: BodyProperties; readonly contents: Map<Id, Content> };
/** `missing`: Emails of the catalog that were not at their place any more. */
type GotWithMissing = Got<EmailRecord> & { readonly missing: readonly Id[] };

async function getFrom(
  view: CatalogView,
  request: GetRequest<GetArguments>,
  { plan, bodyProperties, contents }: Reading,
  ports: EmailPorts,
): Promise<Result<GotWithMissing, MethodError>> {
  const ids = request.ids ?? (await allOf('emailId', view, request.maxObjects));
  if (ids === null) return refuse(methodError('requestTooLarge', `more than ${request.maxObjects} Emails`));
  const known = await view.emails(ids);
  const emails: Email[] = ids.map((id) => known.get(id) ?? null).filter(existsInJmap);
  const mailboxes = await view.mailboxes();
  const places = placesOf(emails, mailboxes);
  const subjects = emails.map((email) => ({
    blobId: messageBlobId(email.id),
    place: places.get(email.id) ?? null,
    hasAttachment: email.hasAttachment,
  }));
  const unread = subjects.filter(({ blobId }) => !contents.has(blobId));
  const read = await readContent(unread, plan, ports.messages);
  if (!read.ok) return read;
  for (const [blobId, content] of read.value) contents.set(blobId, content);

  const list: Some<EmailRecord>[] = [];
  const missing: Id[] = [];
  for (const email of emails) {
    const content = contents.get(messageBlobId(email.id));
    if (content === undefined) missing.push(email.id);
    else list.push(emailObject(email, content, mailboxes, { properties: request.properties, plan, bodyProperties }));
  }
  return ok({ state: stateOf(view, 'Email'), list, missing });
}
