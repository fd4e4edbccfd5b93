import type { Email, MailboxKey } from './email.ts';

/** IMAP system flags that JMAP spells with `$` (RFC 8621 §4.1.1), by their lower-case IMAP name. */
const systemKeywords: ReadonlyMap<string, string> = new Map([
  ['\\draft', '$draft'],
  ['\\seen', '$seen'],
  ['\\flagged', '$flagged'],
  ['\\answered', '$answered'],
]);

const systemFlags: ReadonlyMap<string, string> = new Map([
  ['$draft', '\\Draft'],
  ['$seen', '\\Seen'],
  ['$flagged', '\\Flagged'],
  ['$answered', '\\Answered'],
]);

/** 1–255 characters of %x21–%x7e without `( ) { ] % * " \` (RFC 8621 §4.1.1). */
const keywordPattern = /^[!#$&'+-Z[^-z|}~]{1,255}$/;

/** The text as JMAP returns it, in lower case; null where it is no keyword. */
export function keywordOf(text: string): string | null {
  return keywordPattern.test(text) ? text.toLowerCase() : null;
}

/**
 * The IMAP flags of one row as JMAP sees them: keywords in lower case, sorted, without duplicates. `\Deleted` becomes
 * `deleted`; `\Recent`, unknown system flags and what is no keyword are left out.
 */
export function keywordsOfFlags(flags: readonly string[]): { keywords: readonly string[]; deleted: boolean } {
  const keywords = new Set<string>();
  let deleted = false;
  for (const flag of flags) {
    const lower = flag.toLowerCase();
    const keyword = systemKeywords.get(lower) ?? keywordOf(flag);
    if (lower === '\\deleted') deleted = true;
    else if (keyword !== null) keywords.add(keyword);
  }
  return { keywords: [...keywords].sort(), deleted };
}

/** The IMAP flag for a JMAP keyword. */
export function flagOfKeyword(keyword: string): string {
  return systemFlags.get(keyword.toLowerCase()) ?? keyword;
}

/** Whether the Email exists for JMAP: one of its rows is not flagged `\Deleted` (RFC 8621 §4.1.1). */
export function existsInJmap(email: Email | null): email is Email {
  return email?.rows.some((row) => !row.deleted) ?? false;
}

/** The mailboxes in which the Email exists for JMAP, ascending. */
export function mailboxesOf(email: Pick<Email, 'rows'> | null): MailboxKey[] {
  const [only, ...others] = email?.rows ?? [];
  if (email === null || only === undefined) return [];
  if (others.length === 0) return only.deleted ? [] : [only.mailbox];
  const keys = new Set(email.rows.filter((row) => !row.deleted).map((row) => row.mailbox));
  return [...keys].sort((a, b) => a - b);
}

/**
 * The keywords of an Email, sorted: those that any of its rows has, but `$seen` only when all have it, so that what is unread
 * somewhere is not hidden. Rows flagged `\Deleted` have no say.
 */
export function keywordsOf(email: Pick<Email, 'rows'>): readonly string[] {
  const rows = email.rows.filter((row) => !row.deleted);
  const [only] = rows;
  if (only === undefined) return [];
  if (rows.length === 1) return only.keywords;
  const everySeen = rows.every((row) => row.keywords.includes('$seen'));
  const merged = new Set(rows.flatMap((row) => row.keywords));
  if (!everySeen) merged.delete('$seen');
  return [...merged].sort();
}

/** Unread as RFC 8621 §2 counts it: neither `$seen` nor `$draft`. */
export function isUnread(keywords: readonly string[]): boolean {
  return !keywords.includes('$seen') && !keywords.includes('$draft');
}
