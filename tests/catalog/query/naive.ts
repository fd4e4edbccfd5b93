import type { Email } from '../../../shared/catalog/email.ts';
import { existsInJmap, keywordsOf, mailboxesOf } from '../../../shared/catalog/keywords.ts';
import type { EmailFilter, EmailFilterCondition } from '../../../shared/catalog/query/filter.ts';
import type { EmailComparator } from '../../../shared/catalog/query/sort.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { type Content, compareBy } from './account.ts';
import type { PlainAccount } from './in-memory-view.ts';

export type Question = {
  readonly filter: EmailFilter | null;
  readonly sort: readonly EmailComparator[];
  readonly collapseThreads: boolean;
};

/** All results of a query by the plainest reading of RFC 8621 §4.4, over all Emails of the account. Ties go as the newest first, then by `tie`. */
export function naiveResults(
  account: PlainAccount,
  contents: ReadonlyMap<Id, Content>,
  { filter, sort, collapseThreads }: Question,
  tie: (a: Email, b: Email) => number = (a, b) => (a.id < b.id ? -1 : 1),
): Id[] {
  const emails = account.emails.filter(existsInJmap);
  const contentOf = (email: Email) => contents.get(email.id) as Content;
  const thread = (email: Email) => emails.filter(({ threadId }) => threadId === email.threadId).map(keywordsOf);
  const mailboxIds = (email: Email) =>
    mailboxesOf(email).map((key) => account.mailboxes.find((mailbox) => mailbox.key === key)?.id as Id);

  const results = emails
    .filter((email) => filter === null || matches(filter, email))
    .sort((a, b) => {
      for (const comparator of sort) {
        const difference = compared(comparator, a, b);
        if (difference !== 0) return comparator.isAscending ? difference : -difference;
      }
      const byDate = sort.some(({ property }) => property === 'receivedAt') ? 0 : b.receivedAt - a.receivedAt;
      return byDate || tie(a, b);
    });
  return results
    .filter(
      ({ threadId }, index) => !collapseThreads || results.findIndex((each) => each.threadId === threadId) === index,
    )
    .map((email) => email.id);

  function matches(tree: EmailFilter, email: Email): boolean {
    switch (tree.operator) {
      case 'AND':
        return tree.conditions.every((inner) => matches(inner, email));
      case 'OR':
        return tree.conditions.some((inner) => matches(inner, email));
      case 'NOT':
        return !tree.conditions.some((inner) => matches(inner, email));
      default:
        return (Object.keys(tree.condition) as (keyof EmailFilterCondition)[]).every((name) =>
          holds(tree.condition, name, email),
        );
    }
  }

  function holds(condition: EmailFilterCondition, name: keyof EmailFilterCondition, email: Email): boolean {
    const content = contentOf(email);
    const value = String(condition[name]);
    const number = Number(condition[name]);
    switch (name) {
      case 'inMailbox':
        return mailboxIds(email).includes(value as Id);
      case 'inMailboxOtherThan':
        return mailboxIds(email).some((each) => !condition.inMailboxOtherThan?.includes(each));
      case 'before':
        return email.receivedAt * 1000 < Date.parse(value);
      case 'after':
        return email.receivedAt * 1000 >= Date.parse(value);
      case 'minSize':
        return email.size >= number;
      case 'maxSize':
        return email.size < number;
      case 'hasKeyword':
        return keywordsOf(email).includes(value);
      case 'notKeyword':
        return !keywordsOf(email).includes(value);
      case 'allInThreadHaveKeyword':
        return thread(email).every((keywords) => keywords.includes(value));
      case 'someInThreadHaveKeyword':
        return thread(email).some((keywords) => keywords.includes(value));
      case 'noneInThreadHaveKeyword':
        return !thread(email).some((keywords) => keywords.includes(value));
      case 'hasAttachment':
        return content.hasAttachment === condition.hasAttachment;
      case 'header':
        return containsAll([content.listId], condition.header?.[1] ?? '');
      case 'text':
        return containsAll(Object.values(content.text), value);
      default:
        return containsAll([content.text[name]], value);
    }
  }

  function compared(comparator: EmailComparator, a: Email, b: Email): number {
    switch (comparator.property) {
      case 'hasKeyword':
      case 'allInThreadHaveKeyword':
      case 'someInThreadHaveKeyword': {
        const { property, keyword } = comparator;
        const has = (keywords: readonly string[]) => keywords.includes(keyword);
        const truth = (email: Email) => {
          if (property === 'hasKeyword') return has(keywordsOf(email));
          return property === 'allInThreadHaveKeyword' ? thread(email).every(has) : thread(email).some(has);
        };
        return Number(truth(a)) - Number(truth(b));
      }
      default:
        return compareBy(comparator.property, a, contentOf(a), b, contentOf(b));
    }
  }
}

/** Each of the few texts that the generated filters look for, with what must be found. */
export const lookedFor: Readonly<Record<string, readonly string[]>> = {
  '': [],
  apple: ['apple'],
  'pe*': ['pe'],
  'plum apple': ['plum', 'apple'],
  '"plum apple"': ['plum apple'],
};

function containsAll(texts: readonly (string | null)[], value: string): boolean {
  const present = texts.filter((text) => text !== null);
  const wanted = lookedFor[value] ?? [];
  return (
    (wanted.length > 0 || present.length > 0) && wanted.every((term) => present.some((text) => text.includes(term)))
  );
}
