import fc from 'fast-check';
import type { Email, EmailRow, MailboxKey } from '../../../shared/catalog/email.ts';
import type { QuerySources, SearchTerm, SortCriterion, SortFields } from '../../../shared/catalog/query/sources.ts';
import { decide } from '../../../shared/catalog/query/truth.ts';
import { CannotSearch } from '../../../shared/catalog/source.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { inMemoryView, logBetween, type PlainAccount } from './in-memory-view.ts';

/** What a message says; the catalog does not hold it. */
export type Content = {
  readonly text: Readonly<Record<'from' | 'to' | 'cc' | 'bcc' | 'subject' | 'body', string>>;
  readonly listId: string | null;
  readonly fields: Required<SortFields>;
  readonly hasAttachment: boolean;
};

/** An account with the messages behind it, through some versions of its history; the last is the present. */
export type History = {
  readonly contents: ReadonlyMap<Id, Content>;
  readonly versions: readonly PlainAccount[];
};

export const id = (text: string) => text as Id;

const words = ['apple', 'pear', 'plum'];
const text = fc.array(fc.constantFrom(...words), { maxLength: 3 }).map((chosen) => chosen.join(' '));
const address = fc.option(
  fc.record({
    name: fc.constantFrom(null, '', 'Zoë', 'zoe', 'Anna'),
    email: fc.constantFrom('z@example', 'b@example'),
  }),
);

export const contents: fc.Arbitrary<Content> = fc.record({
  text: fc.record({ from: text, to: text, cc: text, bcc: text, subject: text, body: text }),
  listId: fc.option(text),
  fields: fc.record({
    from: address,
    to: address,
    subject: fc.constantFrom(null, 'Tea', 'Re: tea', 'Fwd: Äpfel', 'apples', '[list] tea (fwd)'),
    sentAt: fc.option(fc.integer({ min: 0, max: 6 })),
  }),
  hasAttachment: fc.boolean(),
});

export const keywords = ['$seen', '$flagged', 'work'];
export const mailboxKeys = [1, 2, 3, 4];
export const mailboxId = (key: MailboxKey) => id(`m${key}`);

type Seed = {
  readonly content: Content;
  readonly threadId: Id;
  readonly receivedAt: number;
  readonly size: number;
  readonly knowsAttachment: boolean;
  readonly rows: readonly PlacedFlags[];
};
type PlacedFlags = Pick<EmailRow, 'mailbox' | 'keywords' | 'deleted'>;

const flags = fc.subarray(keywords).map((chosen) => [...chosen].sort());
const rows: fc.Arbitrary<PlacedFlags[]> = fc.array(
  fc.record({
    mailbox: fc.constantFrom(...mailboxKeys),
    keywords: flags,
    deleted: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 3 },
);
const seeds: fc.Arbitrary<Seed> = fc.record({
  content: contents,
  threadId: fc.integer({ min: 0, max: 6 }).map((n) => id(`t${n}`)),
  receivedAt: fc.integer({ min: 0, max: 12 }),
  size: fc.integer({ min: 0, max: 6 }),
  knowsAttachment: fc.boolean(),
  rows,
});

/** One thing that happens: to the n-th Email (counted round), or to a mailbox. */
type Event =
  | { readonly kind: 'arrive'; readonly n: number }
  | { readonly kind: 'flag'; readonly n: number; readonly keyword: string }
  | { readonly kind: 'delete'; readonly n: number }
  | { readonly kind: 'place'; readonly n: number; readonly rows: readonly PlacedFlags[] }
  | { readonly kind: 'destroy'; readonly n: number }
  | { readonly kind: 'drop'; readonly mailbox: MailboxKey };

const n = fc.nat({ max: 40 });
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('arrive' as const), n }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flag' as const), n, keyword: fc.constantFrom(...keywords) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), n }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('place' as const), n, rows }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('destroy' as const), n }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), mailbox: fc.constantFrom(...mailboxKeys) }) },
);

/** An account of up to 24 Emails in four mailboxes, with small ranges of everything so that much is equal, and some commits. */
export const histories: fc.Arbitrary<History> = fc
  .record({
    seeds: fc.array(seeds, { maxLength: 24, size: 'max' }),
    present: fc.integer({ min: 6, max: 24 }),
    commits: fc.array(fc.array(events, { minLength: 1, maxLength: 5, size: 'max' }), { maxLength: 3, size: 'max' }),
  })
  .map(({ seeds, present, commits }) => unfold(seeds, present, commits));

function unfold(seeds: readonly Seed[], present: number, commits: readonly (readonly Event[])[]): History {
  const nextUid = new Map<MailboxKey, number>();
  const place = (flags: readonly PlacedFlags[]): EmailRow[] =>
    flags
      .map((row) => {
        const uid = (nextUid.get(row.mailbox) ?? 0) + 1;
        nextUid.set(row.mailbox, uid);
        return { ...row, uid };
      })
      .sort((a, b) => a.mailbox - b.mailbox || a.uid - b.uid);
  const born = ({ content, threadId, receivedAt, size, knowsAttachment, rows }: Seed, index: number): Email => ({
    id: idOf(index),
    threadId,
    receivedAt,
    size,
    hasAttachment: knowsAttachment ? content.hasAttachment : null,
    rows: place(rows),
  });

  let mailboxes = mailboxKeys.map((key) => ({ key, id: mailboxId(key) }));
  const emails = new Map(seeds.slice(0, present).map((seed, index) => [idOf(index), born(seed, index)]));
  const log: ReturnType<typeof logBetween> = [];
  const versions: PlainAccount[] = [];
  const commit = () => {
    const before = versions.at(-1)?.emails ?? [];
    const version = versions.length + 1;
    if (versions.length > 0) log.push(...logBetween(before, [...emails.values()], version));
    versions.push({ mailboxes, emails: [...emails.values()], log: [...log], version, oldestVersion: 1 });
  };
  commit();
  for (const happened of commits) {
    for (const event of happened) happen(event);
    commit();
  }
  return { contents: new Map(seeds.map(({ content }, index) => [idOf(index), content])), versions };

  function happen(event: Event): void {
    if (event.kind === 'drop') {
      mailboxes = mailboxes.filter(({ key }) => key !== event.mailbox);
      for (const email of emails.values())
        replace(
          email,
          email.rows.filter(({ mailbox }) => mailbox !== event.mailbox),
        );
      return;
    }
    const index = seeds.length === 0 ? 0 : event.n % seeds.length;
    const email = emails.get(idOf(index));
    const seed = seeds[index];
    switch (event.kind) {
      case 'arrive':
        if (email === undefined && seed !== undefined)
          replace(born({ ...seed, rows: [] }, index), place(open(seed.rows)));
        return;
      case 'flag':
        if (email)
          replace(
            email,
            email.rows.map((row) => ({ ...row, keywords: toggled(row.keywords, event.keyword) })),
          );
        return;
      case 'delete':
        if (email)
          replace(
            email,
            email.rows.map((row, at) => (at === 0 ? { ...row, deleted: !row.deleted } : row)),
          );
        return;
      case 'place':
        if (email) replace(email, place(open(event.rows)));
        return;
      case 'destroy':
        emails.delete(idOf(index));
    }
  }

  function open(rows: readonly PlacedFlags[]): PlacedFlags[] {
    return rows.filter(({ mailbox }) => mailboxes.some(({ key }) => key === mailbox));
  }

  function replace(email: Email, rows: readonly EmailRow[]): void {
    if (rows.length === 0) emails.delete(email.id);
    else emails.set(email.id, { ...email, rows });
  }
}

/** Ids that do not sort like their numbers. */
function idOf(index: number): Id {
  return id(`e${(index * 7) % 25}`);
}

function toggled(keywords: readonly string[], keyword: string): string[] {
  return (keywords.includes(keyword) ? keywords.filter((each) => each !== keyword) : [...keywords, keyword]).sort();
}

/** What was asked beyond the catalog. */
export type Asked = { searched: MailboxKey[]; questions: number; matched: Id[]; attachments: Id[]; fields: Id[] };

/** The mail server behind an account, which may have no SORT, and no SEARCH for such texts. */
export function sourcesOf(
  account: PlainAccount,
  contents: ReadonlyMap<Id, Content>,
  { sorts = true, searches = true } = {},
): QuerySources & { readonly asked: Asked } {
  const asked: Asked = { searched: [], questions: 0, matched: [], attachments: [], fields: [] };
  const contentOf = (emailId: Id) => {
    const content = contents.get(emailId);
    if (content === undefined) throw new Error(`Could not find the content of ${emailId}`);
    return content;
  };
  const rowsIn = (key: MailboxKey) =>
    account.emails.flatMap((email) =>
      email.rows
        .filter(({ mailbox }) => mailbox === key)
        .map(({ uid }) => ({ uid, email, content: contentOf(email.id) })),
    );
  return {
    asked,
    search: async ({ key }, questions) => {
      if (!searches) throw new CannotSearch('this server cannot');
      asked.searched.push(key);
      asked.questions += questions.length;
      return questions.map((question) =>
        rowsIn(key)
          .filter(({ content }) => decide(question, (term) => finds(content, term)))
          .map(({ uid }) => uid),
      );
    },
    match: async (ids, questions) => {
      asked.matched.push(...ids);
      const answersOf = (each: Id) =>
        questions.map((question) => decide(question, (term) => finds(contentOf(each), term)));
      return new Map(ids.map((each) => [each, answersOf(each).map((truth) => truth === true)]));
    },
    attachments: async (ids) => {
      asked.attachments.push(...ids);
      return new Map(ids.map((each) => [each, contentOf(each).hasAttachment]));
    },
    sortFields: async (ids) => {
      asked.fields.push(...ids);
      return new Map(ids.map((each) => [each, contentOf(each).fields]));
    },
    serverSort: async ({ key }, criteria) =>
      sorts
        ? rowsIn(key)
            .sort((a, b) => {
              for (const criterion of criteria) {
                const difference = compareBy(criterion.property, a.email, a.content, b.email, b.content);
                if (difference !== 0) return criterion.isAscending ? difference : -difference;
              }
              return a.uid - b.uid;
            })
            .map(({ uid }) => uid)
        : null,
  };
}

function finds(content: Content, term: SearchTerm): boolean {
  if (term.kind === 'header') return content.listId?.includes(term.value ?? '') ?? false;
  if (term.kind === 'text') return Object.values(content.text).some((text) => text.includes(term.value));
  return content.text[term.kind].includes(term.value);
}

/** The sort rules of RFC 8621 §4.4.2, spelled out for the few values that occur here. */
export function compareBy(property: SortCriterion['property'], a: Email, ca: Content, b: Email, cb: Content): number {
  switch (property) {
    case 'receivedAt':
    case 'size':
      return a[property] - b[property];
    case 'sentAt':
      return (ca.fields.sentAt ?? a.receivedAt) - (cb.fields.sentAt ?? b.receivedAt);
    case 'subject':
      return subjectRank(ca.fields.subject) - subjectRank(cb.fields.subject);
    case 'from':
    case 'to':
      return addressRank(ca.fields[property]) - addressRank(cb.fields[property]);
  }
}

function subjectRank(subject: string | null): number {
  if (subject === null) return 0;
  return subject === 'Fwd: Äpfel' ? 2 : subject === 'apples' ? 1 : 3;
}

function addressRank(address: Content['fields']['from']): number {
  return ['', 'Anna', 'b@example', 'z@example', 'zoe', 'Zoë'].indexOf(address?.name || address?.email || '');
}

/** The view and the server of one version. */
export function serve(
  { contents, versions }: History,
  version = versions.length,
  rowsPerBlock = 4,
  server: Parameters<typeof sourcesOf>[2] = {},
) {
  const account = versions[version - 1];
  if (account === undefined) throw new Error(`Could not find version ${version}`);
  return { account, view: inMemoryView(account, rowsPerBlock), sources: sourcesOf(account, contents, server) };
}
