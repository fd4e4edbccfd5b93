/** What an item of the store carries beside its bytes: keys, attribute names, version, expiry. Accounts of up to 40 characters fit. */
const itemOverheadBytes = 96;

/** DynamoDB bills writes by the KB and reads by 4 KB, per item: a block of n KB must end just below. */
const billedKilobytes = (n: number): number => n * 1024 - itemOverheadBytes;

/** One read unit, one to four write units: scans read no less in larger blocks, and a flag change rewrites less. */
export const rowLeafBytesMax = billedKilobytes(4);
export const mailboxLeafBytesMax = billedKilobytes(4);
export const logLeafBytesMax = billedKilobytes(4);
/** Looked up by hashes, never scanned: a new entry rewrites one such block, about two thirds full. */
export const lookupLeafBytesMax = billedKilobytes(3);
export const pageBytesMax = billedKilobytes(2);
/** References a root keeps in the head before it puts them into pages. */
export const rootRefsMax = 12;

/**
 * Above the target, one commit moves some of the buffered changes from the head into blocks, and the next ones go on with
 * it; above what is tolerated, as many as it takes. The target leaves room, so that a head costs one strong read unit.
 */
export const headBytesTarget = billedKilobytes(3.5);
export const headBytesTolerated = billedKilobytes(6);
/** What fills a larger head is an error of ours: docs/storage-schema.md says what there is in it. */
export const headBytesMax = billedKilobytes(16);
/** One step of making the head smaller writes as many leaves as fit into this. */
export const flushBytesMax = billedKilobytes(12);
/** A table with more buffered changes than this is flushed whole, in one pass. */
export const bufferedChangesMax = 256;

/** How long a block lives, and how many days before its end it is written again while it is in use. */
export const blockLifeDays = 60;
export const renewBelowDays = 30;
/** Blocks written together die on so many different days, so that they need not be renewed together. */
export const expirySpreadDays = 16;
/**
 * Blocks renewed, for each day since the last commit, when 30 days remain; doubles with every three days fewer. Those that
 * end first come first.
 */
export const renewalsPerCommit = 8;
export const renewalsDoubleDays = 3;

/** The change log tells at least so much, unless it has more entries than `logEntriesMax` per type. */
export const logDaysMin = 30;
/** The oldest entries are looked at again only when the log reaches back further by so much. */
export const logSlackDays = 2;
export const logEntriesMax = 400_000;

/** Blocks written by one call of the store, and calls under way at once. */
export const blocksPerWrite = 25;
export const writesAtOnce = 8;
/** Leaves, and pages, that a merge holds decoded at once. */
export const leavesAtOnce = 64;
export const pagesAtOnce = 8;
/** Row blocks seen by a view in which an Email is looked for before the look-up runs are read. */
export const leavesProbedMax = 64;
