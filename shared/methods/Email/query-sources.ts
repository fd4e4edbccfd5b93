import type { Enough } from '../../catalog/account.ts';
import type { MailboxEntry } from '../../catalog/mailbox.ts';
import { type EmailQuery, isAnswerable } from '../../catalog/query/evaluation.ts';
import type { HeaderSortProperty, QuerySources, SortFields } from '../../catalog/query/sources.ts';
import { MailboxGone } from '../../catalog/source.ts';
import type { CatalogView } from '../../catalog/view.ts';
import type { MethodError, Result } from '../../jmap/errors.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { EmailAddress } from '../../message/addresses.ts';
import { hasAttachment } from '../../message/body-structure.ts';
import { convenienceProperties, headerPropertyValue } from '../../message/header-form.ts';
import { type EmailHeader, parseHeaders } from '../../message/parse-headers.ts';
import type { Place } from './mail.ts';
import { matchTexts } from './match-texts.ts';
import { placesOf } from './places.ts';
import type { EmailPorts } from './record.ts';

/**
 * Answers from a recent view that holds what the query needs. When the mail server turns out to have moved on meanwhile,
 * once more from the newest; messages that left even that view are taken to say nothing.
 */
export async function answerFromView<T>(
  ports: EmailPorts,
  query: EmailQuery,
  answer: (view: CatalogView, sources: QuerySources) => Promise<Result<T, MethodError>>,
): Promise<Result<T, MethodError>> {
  const enough: Enough = (mailboxes) => isAnswerable(query, mailboxes);
  const recent = await ports.catalog.view('recent', enough);
  const first = await answer(recent, querySources(recent, ports, 'refused'));
  if (first.ok || first.error.type !== 'serverUnavailable') return first;
  const newest = await ports.catalog.view('now', enough);
  return answer(newest, querySources(newest, ports, 'leftOut'));
}

/** What a query over this view asks of the mail server. `missing`: what becomes of messages that are not at their place. */
function querySources(
  view: CatalogView,
  { catalog, messages, search }: EmailPorts,
  missing: 'refused' | 'leftOut',
): QuerySources {
  return {
    search: async (mailbox, questions) => {
      const box = searched(mailbox);
      const messages = missing === 'refused' ? (mailbox.vector?.messages ?? null) : null;
      return box && search.search({ ...box, messages }, questions);
    },
    serverSort: async (mailbox, [first, ...others]) => {
      const box = searched(mailbox);
      if (box === null || first === undefined || first.property === 'receivedAt' || first.property === 'size') {
        return null;
      }
      // SORT is asked in ascending order; for the descending one everything is turned round.
      const { property, isAscending } = first;
      const thenBy = others.map((other) => ({ key: other.property, isAscending: other.isAscending === isAscending }));
      const uids = await search.sort(box, property, thenBy);
      return isAscending || uids === null ? uids : uids.toReversed();
    },
    match: async (ids, questions) => {
      const { found, gone } = await readAt(ids, (places) => matchTexts(places, questions, messages));
      accept(gone);
      return found;
    },
    attachments: async (ids) => {
      const needs = { headers: 'none', structure: true, preview: false } as const;
      const { found: facts, gone } = await readAt(ids, (places) => messages.read(places, needs));
      const found = new Map<Id, boolean>();
      for (const [id, { structure }] of facts) if (structure !== undefined) found.set(id, hasAttachment(structure));
      if (found.size > 0) await catalog.remember({ hasAttachment: found });
      accept(gone);
      return found;
    },
    sortFields: async (ids, properties) => {
      const fields = properties.map((property) => convenienceProperties.get(property)?.field ?? property);
      const needs = { headers: fields, structure: false, preview: false };
      const { found: facts, gone } = await readAt(ids, (places) => messages.read(places, needs));
      accept(gone);
      const parsed = [...facts].map(([id, { headers }]) => [id, parseHeaders(headers ?? new Uint8Array())] as const);
      return new Map(parsed.map(([id, headers]) => [id, sortFields(headers, properties)]));
    },
  };

  /** What `read` says of Emails at their places, and the places where there is none of them any more. */
  async function readAt<T>(
    ids: readonly Id[],
    read: (places: readonly Place[]) => Promise<ReadonlyMap<Place, T>>,
  ): Promise<{ found: Map<Id, T>; gone: Place[] }> {
    const mailboxes = await view.mailboxes();
    const places = placesOf((await view.emails(ids)).values(), mailboxes);
    const answers = await read([...places.values()]);
    const found = new Map<Id, T>();
    const gone: Place[] = [];
    for (const [id, place] of places) {
      const value = answers.get(place);
      if (value === undefined) gone.push(place);
      else found.set(id, value);
    }
    return { found, gone };
  }

  function accept([gone]: readonly Place[]): void {
    if (gone !== undefined && missing === 'refused') throw new MailboxGone(gone.mailbox);
  }
}

function searched({ name, vector }: MailboxEntry): { name: string; uidValidity: number; uidNext: number } | null {
  return vector && { name, uidValidity: vector.uidValidity, uidNext: vector.uidNext };
}

/** The values that RFC 8621 §4.4.2 sorts by. */
function sortFields(headers: readonly EmailHeader[], properties: readonly HeaderSortProperty[]): SortFields {
  const fields: { -readonly [K in keyof SortFields]: SortFields[K] } = {};
  for (const name of properties) {
    const property = convenienceProperties.get(name);
    const value = property === undefined ? null : headerPropertyValue(headers, property);
    switch (name) {
      case 'from':
      case 'to':
        fields[name] = (value as EmailAddress[] | null)?.[0] ?? null;
        break;
      case 'subject':
        fields.subject = value as string | null;
        break;
      case 'sentAt':
        fields.sentAt = typeof value === 'string' ? Date.parse(value) / 1000 : null;
    }
  }
  return fields;
}
