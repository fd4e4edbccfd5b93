import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Email } from '../../../shared/catalog/email.ts';
import { decide } from '../../../shared/catalog/query/truth.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import type { TextCondition } from '../../../shared/methods/Email/mail.ts';
import type { EmailPorts } from '../../../shared/methods/Email/record.ts';
import { searchSnippet } from '../../../shared/methods/SearchSnippet/index.ts';
import { inMemoryView, logBetween, type PlainAccount } from '../../catalog/query/in-memory-view.ts';
import { call } from '../Email/query-account.ts';
import { inMemoryMail } from '../in-memory-mail.ts';
import { callMethod } from '../mail-account.ts';

/** No word overlaps with itself, so that where it stands in a text is never a matter of taste. */
const words = [
  ...['tea', 'TEA', 'Straße', 'strasse', 'café', 'cafe\u0301', 'ﬁsh', 'fish', 'a&b', '<b>', "don't", '&amp;', 'ŒUVRE'],
  ...[
    '会議',
    '明日の会議',
    'Кот',
    'кОТ',
    'Οδός',
    'ΟΔΟΣ',
    'हिन्दी',
    'كتاب',
    '한국',
    '👩‍👩‍👧',
    '😀',
    'x\u0323\u0307y',
    'z'.repeat(300),
  ],
];
const word = fc.constantFrom(...words);
const between = fc.constantFrom(' ', ' ', ' ', '', '\n', ' \n ', ', ');
const text = (maxLength: number) =>
  fc.array(fc.tuple(word, between), { maxLength, size: 'max' }).map((pieces) => pieces.flat().join('').trim());

type Content = {
  readonly subject: string;
  readonly from: string;
  readonly plain: string | null;
  readonly html: string | null;
  readonly attached: string;
};
const contents: fc.Arbitrary<Content> = fc.record({
  subject: text(6).map((subject) => subject.replace(/\s+/g, ' ').normalize('NFC')),
  from: fc.constantFrom('anna', 'tea', 'fish'),
  plain: fc.option(text(25)),
  html: fc.option(text(25)),
  attached: word,
});

/** The words of a condition, each of which has to be found, and how they are written. */
type Wanted = { readonly terms: readonly string[]; readonly written: string };
const wanted: fc.Arbitrary<Wanted> = fc
  .array(
    fc.oneof(
      word.map((each) => ({ term: each, written: each })),
      word.map((each) => ({ term: each, written: `${each}*` })),
      word.map((each) => ({ term: [...each][0] ?? '', written: [...each][0] ?? '' })),
      fc.tuple(word, word).map((two) => ({ term: two.join(' '), written: `"${two.join('  ')}"` })),
    ),
    { maxLength: 2 },
  )
  .map((each) => ({ terms: each.map(({ term }) => term), written: each.map(({ written }) => written).join(' ') }));

/** One property of a FilterCondition as it is written, and as it is read. */
type Test = { readonly json: JsonObject; readonly kind: string; readonly terms: readonly string[] };
type Tree =
  | { readonly operator?: undefined; readonly condition: readonly Test[] }
  | { readonly operator: 'AND' | 'OR' | 'NOT'; readonly conditions: readonly Tree[] };

const property: fc.Arbitrary<Test> = fc.oneof(
  fc
    .tuple(fc.constantFrom('text', 'subject', 'body', 'from'), wanted)
    .map(([kind, { terms, written }]) => ({ json: { [kind]: written }, kind, terms })),
  wanted.map(({ terms, written }) => ({ json: { header: ['SuBject', written] }, kind: 'subject', terms })),
  fc.constant({ json: { hasKeyword: '$seen' }, kind: 'seen', terms: [] }),
);
const filters = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .uniqueArray(property, { maxLength: 3, selector: ({ json }) => Object.keys(json)[0] })
      .map((condition) => ({ condition })),
    fc.record({
      operator: fc.constantFrom('AND' as const, 'OR' as const, 'NOT' as const),
      conditions: fc.array(tie('tree'), { maxLength: 3 }),
    }),
  ),
})).tree;

const shown = (tree: Tree): JsonObject =>
  tree.operator === undefined
    ? Object.assign({}, ...tree.condition.map(({ json }) => json))
    : { operator: tree.operator, conditions: tree.conditions.map(shown) };

const countOf = (tree: Tree): number =>
  tree.operator === undefined
    ? tree.condition.reduce((sum, { terms }) => sum + terms.length, 0)
    : tree.conditions.reduce((sum, inner) => sum + countOf(inner), 0);

/** What texts are compared by: case, compatibility forms, accents and the amount of white space make no difference. */
const fold = (text: string) =>
  text
    .toUpperCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/\s+/g, ' ');
const says = (text: string, term: string) => fold(text).includes(fold(term));

const bodiesOf = ({ plain, html }: Content) => [plain ?? '', html ?? ''];
const saysIn = (content: Content, kind: string, term: string): boolean => {
  if (kind === 'subject' || kind === 'from') return says(content[kind], term);
  if (kind === 'body') return bodiesOf(content).some((body) => says(body, term));
  return ['subject', 'from', 'body'].some((part) => saysIn(content, part, term));
};
const isMatch = (tree: Tree, content: Content, isSeen: boolean): boolean => {
  if (tree.operator === undefined) {
    return tree.condition.every(({ kind, terms }) =>
      kind === 'seen' ? isSeen : terms.every((term) => saysIn(content, kind, term)),
    );
  }
  const matches = tree.conditions.map((inner) => isMatch(inner, content, isSeen));
  if (tree.operator === 'AND') return matches.every(Boolean);
  return tree.operator === 'OR' ? matches.some(Boolean) : !matches.some(Boolean);
};

/** The words that are looked for in the subject, or in the body, and are not denied. */
const wantedIn = (tree: Tree, part: 'subject' | 'body', isDenied = false): string[] => {
  if (tree.operator === undefined) {
    const tests = isDenied ? [] : tree.condition.filter(({ kind }) => kind === part || kind === 'text');
    return tests.flatMap(({ terms }) => terms);
  }
  return tree.conditions.flatMap((inner) => wantedIn(inner, part, isDenied !== (tree.operator === 'NOT')));
};

/** Which UTF-16 units of a text are in a match: the shortest stretches of whole characters that say a term, accents included. */
const markedUnits = (text: string, terms: readonly string[]): boolean[] => {
  const marked = new Array<boolean>(text.length).fill(false);
  const characters = [...text.matchAll(/\S[\u0300-\u036f]*|\s+/gu)];
  const starts = [...characters.map(({ index }) => index), text.length];
  for (const term of terms.filter((each) => fold(each) !== '' && says(text, each))) {
    let from = 0;
    for (let to = 1; to < starts.length; to += 1) {
      if (!says(text.slice(starts[from], starts[to]), term)) continue;
      while (from + 1 < to && says(text.slice(starts[from + 1], starts[to]), term)) from += 1;
      marked.fill(true, starts[from], starts[to]);
      from = to;
    }
  }
  return marked;
};

/** A message of that content; each character is an octet. */
const rawOf = ({ subject, from, plain, html, attached }: Content): string => {
  const escaped = { '&': '&amp;', '<': '&lt;', '>': '&gt;', a: '<i>a</i>' } as Readonly<Record<string, string>>;
  const tagged = [...(html ?? '')].map((character) => escaped[character] ?? character).join('');
  const part = (type: string, body: string | null) =>
    body === null ? '' : `--alt\nContent-Type: ${type}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${body}\n`;
  const parts = part('text/plain', plain) + part('text/html', html && `<p title="tea">${tagged}</p>`);
  const body = parts === '' ? '' : `--mix\nContent-Type: multipart/alternative; boundary=alt\n\n${parts}--alt--\n`;
  const attachment = `--mix\nContent-Type: text/plain; charset=utf-8\nContent-Disposition: attachment\n\n${attached}\n`;
  const header = `From: ${from}\nSubject: ${subject}\nContent-Type: multipart/mixed; boundary=mix\n`;
  return Buffer.from(`${header}\n${body}${attachment}--mix--\n`).toString('latin1');
};

/** An account in which every other Email is seen: its first Emails, and what it is after some went and others came. */
const accountOf = (all: readonly Content[], first: number, gone: ReadonlySet<number>) => {
  const emails = all.map(
    (_, index): Email => ({
      id: `e${index + 1}` as Id,
      threadId: `t${index + 1}` as Id,
      ...{ receivedAt: index, size: 1, hasAttachment: null },
      rows: [{ mailbox: 1, uid: index + 1, keywords: index % 2 === 0 ? [] : ['$seen'], deleted: false }],
    }),
  );
  const [before, after] = [emails.slice(0, first), emails.filter((_, index) => !gone.has(index))];
  const mailboxes = [{ key: 1, id: 'm1' as Id }];
  const log = logBetween(before, after, 2);
  const plain: readonly PlainAccount[] = [
    { mailboxes, emails: before, version: 1 },
    { mailboxes, emails: after, version: 2, log },
  ];
  const finds = (content: Content, { kind, value }: TextCondition) =>
    saysIn(content, kind === 'header' ? 'subject' : kind, value ?? '');
  return plain.map((account): { readonly ports: EmailPorts; readonly present: readonly Email[] } => ({
    present: account.emails,
    ports: {
      catalog: { view: async () => inMemoryView(account), remember: async () => undefined },
      messages: inMemoryMail({ 'mailbox 1': all.map(rawOf) }),
      search: {
        search: async (_, questions) =>
          questions.map((question) =>
            account.emails.flatMap(({ rows }) => {
              const uid = rows[0]?.uid ?? 0;
              const content = all[uid - 1];
              return content && decide(question, (term) => finds(content, term)) ? [uid] : [];
            }),
          ),
        sort: async () => null,
      },
    },
  }));
};

const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>' } as Readonly<Record<string, string>>;
/** The text that is shown as HTML, and which of its units are marked. Throws where it is not well-formed. */
const readHtml = (html: string): { readonly text: string; readonly marked: readonly boolean[] } => {
  let text = '';
  const marked: boolean[] = [];
  let isMarked = false;
  for (const [piece] of html.matchAll(/<\/?mark>|&(?:amp|lt|gt);|./gs)) {
    if (piece === '<mark>' || piece === '</mark>') {
      expect(isMarked).toBe(piece === '</mark>');
      isMarked = piece === '<mark>';
      continue;
    }
    const shown = entities[piece] ?? piece;
    if (piece.length === 1) expect('&<>').not.toContain(piece);
    text += shown;
    for (const _ of shown) marked.push(isMarked);
  }
  expect(isMarked).toBe(false);
  return { text, marked };
};

/** Whether the HTML is a stretch of the text around its first match, with exactly the matches marked in whole; the first may be cut. */
const showsStretch = (html: string, whole: string, units: readonly boolean[]): boolean => {
  const { text, marked } = readHtml(html);
  const [before, behind] = [text.startsWith('…') ? 1 : 0, text.endsWith('…') ? 1 : 0];
  const [stretch, marks] = [text.slice(before, text.length - behind), marked.slice(before, marked.length - behind)];
  const firstMatch = units.indexOf(true);
  for (let at = whole.indexOf(stretch); at !== -1; at = whole.indexOf(stretch, at + 1)) {
    const end = at + stretch.length;
    const isRight = marks.every((isMarked, index) => isMarked === units[at + index]);
    const isCut = (cut: number) => cut > 0 && cut < units.length && units[cut - 1] === true && units[cut] === true;
    const isFirstAlone = !units.slice(firstMatch, end).includes(false);
    const isCutWell = !isCut(at) && (!isCut(end) || isFirstAlone);
    const isMarkedAsCut = (before === 1) === at > 0 && (behind === 1) === end < whole.length;
    if (isRight && isCutWell && isMarkedAsCut && at <= firstMatch && firstMatch < end) return true;
  }
  return false;
};

test('query, its changes and snippets agree on any filter over any messages', async () => {
  const account = fc.record({
    all: fc.array(contents, { minLength: 1, maxLength: 6 }),
    first: fc.nat({ max: 6 }),
    gone: fc.array(fc.nat({ max: 5 })),
  });
  await fc.assert(
    fc.asyncProperty(account, filters, async ({ all, first, gone }, tree) => {
      fc.pre(countOf(tree) <= 32);
      const [then, now] = accountOf(all, first, new Set(gone));
      if (then === undefined || now === undefined) throw new Error('There are two versions');
      const filter = shown(tree);
      const contentOf = (emailId: string) => all[Number(emailId.slice(1)) - 1] as Content;

      const [old, latest] = [
        await callMethodOf('Email/query', { filter }, then.ports),
        await callMethodOf('Email/query', { filter }, now.ports),
      ];
      const expected = now.present.filter(({ id, rows }) =>
        isMatch(tree, contentOf(id), rows[0]?.keywords.length === 1),
      );
      expect(latest.ids).toEqual(expected.map(({ id }) => id).reverse());

      const since = { filter, sinceQueryState: old.queryState as string };
      const { removed, added } = await callMethodOf('Email/queryChanges', since, now.ports);
      const ids = (old.ids as string[]).filter((id) => !(removed as string[]).includes(id));
      for (const { id, index } of added as { id: string; index: number }[]) ids.splice(index, 0, id);
      expect(ids).toEqual(latest.ids);

      const emailIds = all.map((_, index) => `e${index + 1}`);
      const snippets = await callMethod(searchSnippet.methods.get, { filter, emailIds }, now.ports);
      const found = snippets.list as { emailId: string; subject: string | null; preview: string | null }[];
      expect(found.map(({ emailId }) => emailId)).toEqual(now.present.map(({ id }) => id));
      for (const { emailId, subject, preview } of found) {
        const content = contentOf(emailId);
        const units = markedUnits(content.subject, wantedIn(tree, 'subject'));
        expect(subject === null).toBe(!units.includes(true));
        if (subject !== null) expect(readHtml(subject)).toEqual({ text: content.subject, marked: units });

        const bodies = bodiesOf(content).map((body) => body.replace(/\s+/g, ' ').trim());
        const terms = wantedIn(tree, 'body');
        const source = bodies.find((body) => markedUnits(body, terms).includes(true));
        expect(preview === null).toBe(source === undefined);
        if (preview === null || source === undefined) continue;
        expect(Buffer.byteLength(preview)).toBeLessThanOrEqual(255);
        expect({ preview, isRight: showsStretch(preview, source, markedUnits(source, terms)) }).toMatchObject({
          isRight: true,
        });
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

async function callMethodOf(name: 'Email/query' | 'Email/queryChanges', args: JsonObject, ports: EmailPorts) {
  const answer = await call(name, args, ports);
  if (!answer.ok) throw new Error(`${answer.error.type}: ${answer.error.description}`);
  return answer.value.response as JsonObject;
}
