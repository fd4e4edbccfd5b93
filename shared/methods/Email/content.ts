import type { Email, MailboxKey } from '../../catalog/email.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import { hasAttachment } from '../../message/body-structure.ts';
import { type EmailHeader, parseHeaders } from '../../message/parse-headers.ts';
import type { Part } from '../../message/part.ts';
import { readBodyValues } from './body-values.ts';
import type { CanReadMessages, MessageFacts, Place } from './mail.ts';
import { readPartHeaders } from './part-headers.ts';
import { placesOf } from './places.ts';
import type { Plan } from './plan.ts';
import { readPreviews } from './previews.ts';

/** What was read of one message, as far as the plan asked for it. */
export type Content = {
  readonly headers: readonly EmailHeader[];
  readonly structure: Part | null;
  readonly hasAttachment: boolean;
  readonly preview: string;
  readonly bodyValues: JsonObject;
};

/** A message that is being read: where it lies, and its part tree where that was needed. */
export type Reading = { readonly email: Email; readonly place: Place; readonly facts: MessageFacts };

/** Reads what the plan says, and only that. Emails that were not at their place any more are absent. */
export async function readContent(
  emails: readonly Email[],
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  plan: Plan,
  messages: CanReadMessages,
): Promise<ReadonlyMap<Id, Content>> {
  if (!asksTheServer(plan, emails))
    return new Map(emails.map((email) => [email.id, contentOf(email, {}, nothingMore)]));

  const readings = await readFacts(emails, mailboxes, plan, messages);
  const withParts = plan.partHeaders ? await readPartHeaders(readings, messages) : readings;
  const previews = plan.preview ? await readPreviews(withParts, messages) : nothingMore.previews;
  const bodyValues = plan.bodyValues
    ? await readBodyValues(withParts, plan.bodyValues, messages)
    : nothingMore.bodyValues;
  return new Map(withParts.map(({ email, facts }) => [email.id, contentOf(email, facts, { previews, bodyValues })]));
}

type More = { readonly previews: ReadonlyMap<Id, string>; readonly bodyValues: ReadonlyMap<Id, JsonObject> };
const nothingMore: More = { previews: new Map(), bodyValues: new Map() };

function contentOf(email: Email, facts: MessageFacts, { previews, bodyValues }: More): Content {
  const structure = facts.structure ?? null;
  return {
    headers: facts.headers === undefined ? [] : parseHeaders(facts.headers),
    structure,
    hasAttachment: email.hasAttachment ?? (structure !== null && hasAttachment(structure)),
    preview: previews.get(email.id) ?? '',
    bodyValues: bodyValues.get(email.id) ?? {},
  };
}

function asksTheServer(plan: Plan, emails: readonly Email[]): boolean {
  return plan.headers !== 'none' || plan.structure || plan.preview || needsStructure(plan, emails);
}

/** The part tree is asked of all messages when one needs it: so each mailbox is read by one FETCH. */
function needsStructure(plan: Plan, emails: readonly Email[]): boolean {
  return plan.structure || (plan.hasAttachment && emails.some((email) => email.hasAttachment === null));
}

async function readFacts(
  emails: readonly Email[],
  mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>,
  plan: Plan,
  messages: CanReadMessages,
): Promise<Reading[]> {
  const places = placesOf(emails, mailboxes);
  const structure = needsStructure(plan, emails);
  const found = await messages.read([...places.values()], { headers: plan.headers, structure, preview: plan.preview });
  return emails.flatMap((email) => {
    const place = places.get(email.id);
    const facts = place && found.get(place);
    return place && facts ? [{ email, place, facts }] : [];
  });
}
