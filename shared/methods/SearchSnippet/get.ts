// SearchSnippet/get (RFC 8621 §5.1)
import type { AccountCatalog } from '../../catalog/account.ts';
import { existsInJmap } from '../../catalog/keywords.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { methodError, ok, refuse } from '../../jmap/errors.ts';
import { anyObject, arrayOf, id, nullable } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import type { Id } from '../../jmap/scalars.ts';
import { parseFilter } from '../../jmap/standard/filter.ts';
import { convenienceProperties, headerPropertyValue } from '../../message/header-form.ts';
import { matchesIn } from '../../message/matches.ts';
import { parseHeaders } from '../../message/parse-headers.ts';
import { emailFilter } from '../Email/filter.ts';
import type { CanReadContents } from '../Email/mail.ts';
import { placesOf } from '../Email/places.ts';
import { readExcerpts } from './excerpts.ts';
import { highlight } from './highlight.ts';
import { type SnippetTerms, snippetTerms } from './snippet-terms.ts';

/** What snippets need of the world. */
export type SnippetPorts = { readonly catalog: AccountCatalog; readonly messages: CanReadContents };

const noTerms: SnippetTerms = { subject: [], body: [] };

/** Takes the filters that Email/query takes. A message that left its place is looked up once more in a new version of the catalog. */
export const getSearchSnippets: AccountMethod<SnippetPorts> = accountMethod(
  { filter: nullable(anyObject), emailIds: arrayOf(id) },
  async (args, { catalog, messages }: SnippetPorts, { limits }) => {
    const emailIds = [...new Set(args.emailIds)];
    if (emailIds.length > limits.maxObjectsInGet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInGet} Emails`));
    }
    const filter = args.filter === null ? ok(null) : parseFilter(emailFilter, args.filter);
    if (!filter.ok) return filter;
    const terms = filter.value === null ? noTerms : snippetTerms(filter.value);

    const first = await snippetsIn(await catalog.view('recent'), emailIds, terms, messages);
    const second =
      first.moved.length > 0 && (await snippetsIn(await catalog.view('now'), first.moved, terms, messages));
    const found = new Map([...first.found, ...(second ? second.found : [])]);
    const notFound = emailIds.filter((emailId) => !found.has(emailId));
    return ok({
      response: {
        accountId: args.accountId,
        list: emailIds.flatMap((emailId) => found.get(emailId) ?? []),
        notFound: notFound.length === 0 ? null : notFound,
      },
    });
  },
);

/** A SearchSnippet (§5). */
type SearchSnippet = { emailId: Id; subject: string | null; preview: string | null };

/** `moved`: Emails of this version of the catalog that were not at their place any more. */
async function snippetsIn(
  view: CatalogView,
  emailIds: readonly Id[],
  terms: SnippetTerms,
  messages: CanReadContents,
): Promise<{ found: Map<Id, SearchSnippet>; moved: Id[] }> {
  const known = await view.emails(emailIds);
  const emails = emailIds.map((emailId) => known.get(emailId) ?? null).filter(existsInJmap);
  const found = new Map<Id, SearchSnippet>();
  if (terms.subject.length === 0 && terms.body.length === 0) {
    for (const email of emails) found.set(email.id, { emailId: email.id, subject: null, preview: null });
    return { found, moved: [] };
  }
  const places = placesOf(emails, await view.mailboxes());
  const facts = await messages.read([...places.values()], {
    headers: terms.subject.length > 0 ? ['subject'] : 'none',
    structure: terms.body.length > 0,
    preview: false,
  });
  const structures = [...facts].flatMap(([place, { structure }]) => (structure ? [{ place, structure }] : []));
  const previews = await readExcerpts(structures, terms.body, messages);
  const moved: Id[] = [];
  for (const { id: emailId } of emails) {
    const place = places.get(emailId);
    const read = place && facts.get(place);
    if (place === undefined || read === undefined) moved.push(emailId);
    else {
      const subject = read.headers ? markedSubject(read.headers, terms.subject) : null;
      found.set(emailId, { emailId, subject, preview: previews.get(place) ?? null });
    }
  }
  return { found, moved };
}

function markedSubject(header: Uint8Array, terms: readonly string[]): string | null {
  const property = convenienceProperties.get('subject');
  const subject = property && headerPropertyValue(parseHeaders(header), property);
  if (typeof subject !== 'string') return null;
  const matches = matchesIn(subject, terms);
  return matches.length === 0 ? null : highlight(subject, matches);
}
