import fc from 'fast-check';
import type { Id, JsonObject } from '../../shared/jmap/scalars.ts';

/** The words of all messages: none is in another one, whatever a mail server makes of case and accents. */
export const words = ['apple', 'quince', 'Straßenbahn', 'Grüße', '会議', 'совет', 'Καλημέρα', 'שלום', 'مرحبا', 'नमस्ते'];
const fields = ['subject', 'from', 'to', 'cc', 'bcc', 'body', 'tag'] as const;
type Field = (typeof fields)[number];

/** A message: the words in each of its fields; `tag` is the field X-Tag, null where there is none. */
export type Content = { readonly [F in Field]: readonly string[] | null } & {
  readonly isHtml: boolean;
  readonly hasAttachment: boolean;
  /** Which of the messages before it is answered; null: none. */
  readonly answers: number | null;
  readonly lines: number;
};

const some = (maxLength: number) => fc.uniqueArray(fc.constantFrom(...words), { maxLength });
export const anyContent: fc.Arbitrary<Content> = fc.record({
  ...{ subject: some(3), from: some(2), to: some(1), body: some(4) },
  ...{ cc: fc.option(some(1)), bcc: fc.option(some(1)), tag: fc.option(some(1)) },
  ...{ isHtml: fc.boolean(), hasAttachment: fc.boolean() },
  answers: fc.option(fc.nat({ max: 5 })),
  lines: fc.constantFrom(1, 40),
});

const messageId = (index: number) => `<search${index}@example.com>`;
const encoded = (list: readonly string[]) =>
  list.map((word) => `=?utf-8?B?${Buffer.from(`${word} `).toString('base64')}?=`).join('\r\n ');

/** The octets of a message; `index` is in its X-Number, by which it is known. */
export function messageOf(content: Content, index: number): string {
  const { subject, body, tag, isHtml, hasAttachment, answers, lines } = content;
  const addresses = (['from', 'to', 'cc', 'bcc'] as const).flatMap((field) => {
    const names = content[field];
    return names === null ? [] : [`${field}: ${encoded(names)} <${field}@example.com>`];
  });
  const text = `${(body ?? []).join('\r\n')}\r\n${'line\r\n'.repeat(lines)}`;
  const base64 = Buffer.from(isHtml ? `<p>${text}</p>` : text).toString('base64');
  const part = `Content-Type: text/${isHtml ? 'html' : 'plain'}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
  const file = 'Content-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\nPK\r\n';
  return [
    ...addresses,
    `Subject: ${encoded(subject ?? [])}`,
    ...(tag === null ? [] : [`X-Tag: ${encoded(tag)}`]),
    `X-Number: ${index}`,
    `Message-ID: ${messageId(index)}`,
    ...(answers === null || answers >= index ? [] : [`References: ${messageId(answers)}`]),
    'MIME-Version: 1.0',
    hasAttachment
      ? `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${part}${base64.replace(/.{76}/g, '$&\r\n')}\r\n--b\r\n${file}--b--\r\n`
      : `${part}${base64.replace(/.{76}/g, '$&\r\n')}\r\n`,
  ].join('\r\n');
}

/** What a client knows of an Email besides. */
export type Known = {
  readonly id: Id;
  readonly threadId: Id;
  readonly mailboxIds: { readonly [id: string]: true };
  readonly keywords: { readonly [keyword: string]: true };
  readonly size: number;
  readonly receivedAt: string;
};
export type Email = Known & { readonly content: Content };

type Condition = { readonly name: string; readonly value: string | number | boolean | readonly string[] };
export type Tree =
  | { readonly operator?: undefined; readonly conditions: readonly Condition[] }
  | { readonly operator: 'AND' | 'OR' | 'NOT'; readonly conditions: readonly Tree[] };

/** Any filter about these mailboxes and times. */
export function anyFilter(mailboxIds: readonly Id[], times: readonly string[], sizes: readonly number[]) {
  const keyword = fc.constantFrom('$seen', '$flagged', 'later');
  const word = fc.constantFrom(...words);
  const header = fc.oneof(
    fc.constant(['X-Tag']),
    fc.constant(['x-none']),
    word.map((value) => ['x-tag', value]),
  );
  const text = (name: string) =>
    some(2).map((value) => ({ name, value: value.length > 0 ? value.join(' ') : 'apple' }));
  const named = (name: string, value: fc.Arbitrary<Condition['value']>) => value.map((each) => ({ name, value: each }));
  const condition: fc.Arbitrary<Condition> = fc.oneof(
    ...(['text', 'subject', 'from', 'to', 'cc', 'bcc', 'body'] as const).map(text),
    { weight: 3, arbitrary: named('header', header) },
    named('inMailbox', fc.constantFrom(...mailboxIds)),
    named('inMailboxOtherThan', fc.subarray([...mailboxIds], { minLength: 1 })),
    fc.tuple(fc.constantFrom('before', 'after'), fc.constantFrom(...times)).map(([name, value]) => ({ name, value })),
    fc
      .tuple(fc.constantFrom('minSize', 'maxSize'), fc.constantFrom(...sizes))
      .map(([name, value]) => ({ name, value })),
    ...['hasKeyword', 'notKeyword', 'allInThreadHaveKeyword', 'someInThreadHaveKeyword', 'noneInThreadHaveKeyword'].map(
      (name) => named(name, keyword),
    ),
    named('hasAttachment', fc.boolean()),
  );
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc
        .uniqueArray(condition, { minLength: 1, maxLength: 2, selector: ({ name }) => name })
        .map((conditions) => ({ conditions })),
      fc.record({
        operator: fc.constantFrom('AND' as const, 'OR' as const, 'NOT' as const),
        conditions: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  })).tree;
}

export function shown(tree: Tree): JsonObject {
  if (tree.operator !== undefined) return { operator: tree.operator, conditions: tree.conditions.map(shown) };
  return Object.fromEntries(tree.conditions.map(({ name, value }) => [name, value as string]));
}

/** What is left of a condition that the catalog alone can decide. */
export function withoutTexts({ conditions }: Extract<Tree, { operator?: undefined }>): Tree {
  const isText = (name: string) => name === 'text' || name === 'header' || (fields as readonly string[]).includes(name);
  return { conditions: conditions.filter(({ name }) => !isText(name)) };
}

/** RFC 8621 §4.4.1, by the plainest reading. */
export function matches(tree: Tree, email: Email, all: readonly Email[]): boolean {
  switch (tree.operator) {
    case 'AND':
      return tree.conditions.every((each) => matches(each, email, all));
    case 'OR':
      return tree.conditions.some((each) => matches(each, email, all));
    case 'NOT':
      return !tree.conditions.some((each) => matches(each, email, all));
    default:
      return tree.conditions.every((each) => holds(each, email, all));
  }
}

function holds({ name, value }: Condition, email: Email, all: readonly Email[]): boolean {
  const { content, keywords, mailboxIds, receivedAt, size, threadId } = email;
  const has = (each: Email) => each.keywords[String(value)] === true;
  const thread = all.filter((each) => each.threadId === threadId);
  switch (name) {
    case 'inMailbox':
      return mailboxIds[String(value)] === true;
    case 'inMailboxOtherThan':
      return Object.keys(mailboxIds).some((id) => !(value as readonly string[]).includes(id));
    case 'before':
      return receivedAt < String(value);
    case 'after':
      return receivedAt >= String(value);
    case 'minSize':
      return size >= Number(value);
    case 'maxSize':
      return size < Number(value);
    case 'hasKeyword':
      return keywords[String(value)] === true;
    case 'notKeyword':
      return keywords[String(value)] !== true;
    case 'allInThreadHaveKeyword':
      return thread.every(has);
    case 'someInThreadHaveKeyword':
      return thread.some(has);
    case 'noneInThreadHaveKeyword':
      return !thread.some(has);
    case 'hasAttachment':
      return content.hasAttachment === value;
    case 'header': {
      const [field = '', wanted] = value as readonly string[];
      const tag = field.toLowerCase() === 'x-tag' ? content.tag : null;
      return tag !== null && (wanted === undefined || tag.includes(wanted));
    }
    default:
      return termsOf(String(value)).every((term) =>
        (name === 'text' ? fields : [name as Field]).some((field) => content[field]?.includes(term)),
      );
  }
}

const termsOf = (value: string) => value.split(' ');

/** The words that a snippet of this part of the Email marks, each once. */
export function markedIn(tree: Tree, part: 'subject' | 'body', email: Email): string[] {
  return [...new Set(wantedIn(tree, part))].filter((term) => email.content[part]?.includes(term)).sort();
}

function wantedIn(tree: Tree, part: 'subject' | 'body', isDenied = false): string[] {
  if (tree.operator !== undefined) {
    return tree.conditions.flatMap((each) => wantedIn(each, part, isDenied !== (tree.operator === 'NOT')));
  }
  const asked = tree.conditions.filter(({ name }) => !isDenied && (name === part || name === 'text'));
  return asked.flatMap(({ value }) => termsOf(String(value)));
}
