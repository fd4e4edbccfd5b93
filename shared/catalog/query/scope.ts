import type { MailboxKey } from '../email.ts';
import type { MailboxEntry } from '../mailbox.ts';
import type { DecidableTest, EmailTests } from './filter.ts';

/** Where Emails that match a filter can be: each has a row in one of the mailboxes, received at `since` or later and before `until`. */
export type Scope = {
  readonly mailboxes: ReadonlySet<MailboxKey>;
  /** Seconds since the epoch, or an infinity. */
  readonly since: number;
  readonly until: number;
};

/**
 * The narrowest set of rows that the filter lets us look at. It may hold Emails that do not match, never the other way
 * round. Of several mailboxes that an Email must be in at once, the one with the fewest messages is taken.
 */
export function scopeOf(tests: EmailTests, mailboxes: ReadonlyMap<MailboxKey, MailboxEntry>): Scope {
  const anywhere: Scope = { mailboxes: new Set(mailboxes.keys()), ...always };
  return scopeOfTree(tests);

  function scopeOfTree(tree: EmailTests): Scope {
    if (tree.operator === undefined) return tree.condition.map(scopeOfTest).reduce(both, anywhere);
    switch (tree.operator) {
      case 'AND':
        return tree.conditions.map(scopeOfTree).reduce(both, anywhere);
      case 'OR':
        return tree.conditions.map(scopeOfTree).reduce(either, nowhere);
      case 'NOT':
        return anywhere;
    }
  }

  function scopeOfTest(test: DecidableTest): Scope {
    switch (test.property) {
      case 'inMailbox':
        return { ...anywhere, mailboxes: new Set(test.mailbox === undefined ? [] : [test.mailbox]) };
      case 'inMailboxOtherThan':
        return { ...anywhere, mailboxes: new Set([...mailboxes.keys()].filter((key) => !test.mailboxes.has(key))) };
      case 'before':
        return { ...anywhere, until: test.value };
      case 'after':
        return { ...anywhere, since: test.value };
      default:
        return anywhere;
    }
  }

  function both(a: Scope, b: Scope): Scope {
    const difference = messagesIn(a.mailboxes) - messagesIn(b.mailboxes) || a.mailboxes.size - b.mailboxes.size;
    return {
      mailboxes: difference > 0 ? b.mailboxes : a.mailboxes,
      since: Math.max(a.since, b.since),
      until: Math.min(a.until, b.until),
    };
  }

  function messagesIn(keys: ReadonlySet<MailboxKey>): number {
    let messages = 0;
    for (const key of keys) messages += mailboxes.get(key)?.vector?.messages ?? 0;
    return messages;
  }
}

function either(a: Scope, b: Scope): Scope {
  return {
    mailboxes: new Set([...a.mailboxes, ...b.mailboxes]),
    since: Math.min(a.since, b.since),
    until: Math.max(a.until, b.until),
  };
}

const always = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
const nowhere: Scope = { mailboxes: new Set(), since: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY };
