import { Unavailable } from '../jmap/errors.ts';
import { Overtaken } from './advance.ts';
import { bringUpToDate } from './bring-up-to-date.ts';
import { indexMissing } from './first-contact.ts';
import { MailboxReplaced } from './read-mailbox.ts';
import { type Foreseen, MailboxGone, MailboxUnseen, type MailSource } from './source.ts';
import { startAnew, startCatalog } from './start-catalog.ts';
import type { SyncContext } from './sync-context.ts';
import { BlockLost, type CatalogView, type CommitOutcome } from './view.ts';

/**
 * How often a sync begins again, if there is time, when another writer or another client of the mail server got in its way. Of
 * writers that race one is always first, and the others find less left to do: several processes of a busy account take a few turns.
 */
const attemptsMax = 40;

/** New mailboxes are given keys above the version of their type, and row keys have room for twice as many. */
const mailboxVersionMax = 2 ** 20;

/**
 * Brings an account's catalog up to date with its mail server and gives the version that is. A sync that loses a race throws
 * away what it read and asks the server again: re-applying it could resurrect what is gone. Throws `OutOfTime` while mailboxes
 * that the caller needs are missing, and what the source and the store throw.
 *
 * `lostVersion`: a version of the catalog in which somebody missed a block.
 */
export async function sync(context: SyncContext, lostVersion: number | null = null): Promise<CatalogView> {
  const surveys = surveysOf(context.source);
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const reached: { view: CatalogView | null } = { view: null };
    try {
      const opening = context.catalog.open();
      const foreseen = attempt === 1 ? foreseenAfter(opening, context) : undefined;
      const [opened, survey] = await Promise.all([opening, surveys.next(foreseen)]);
      reached.view = opened;
      if (opened !== null && opened.version === lostVersion) throw new BlockLost('A block of this version is gone');
      if (opened !== null && opened.versions.Mailbox > mailboxVersionMax) {
        await startAnew(context, opened); // an epoch ends after a million changes of Mailboxes
        continue;
      }
      reached.view = opened ?? committed(await startCatalog(context, survey));
      const known = await bringUpToDate(context, reached.view, survey);
      reached.view = known.view;
      if (!reached.view.provisional || context.enough(await reached.view.mailboxes())) return reached.view;
      reached.view = await indexMissing(context, reached.view, known.seen, surveys.begin);
      if (reached.view.provisional) return reached.view;
      // Indexing took its time: what changed meanwhile is found by the next attempt.
    } catch (error) {
      if (error instanceof BlockLost && reached.view !== null) await startAnew(context, reached.view);
      else if (!isOutrun(error)) throw error;
    }
    if (context.isOver()) break;
  }
  throw new Unavailable('The account changes faster than it can be read');
}

/** The surveys of a sync. One that will nearly always come next may be asked for in advance. */
type Surveys = {
  readonly begin: () => void;
  /** The one that has begun, or a new one. */
  readonly next: MailSource['survey'];
};

function surveysOf(source: MailSource): Surveys {
  let begun: ReturnType<MailSource['survey']> | null = null;
  return {
    begin: () => {
      begun = source.survey();
      // Whoever takes it is told of its failure; if nobody does, nobody needs to know.
      begun.catch(() => {});
    },
    next: (foreseen) => {
      const survey = begun ?? source.survey(foreseen);
      begun = null;
      return survey;
    },
  };
}

/** What only saves time is not worth a failure. */
async function foreseenAfter(
  opening: Promise<CatalogView | null>,
  { foresight }: SyncContext,
): Promise<Foreseen | null> {
  try {
    const view = await opening;
    return view === null ? null : ((await foresight?.(view)) ?? null);
  } catch {
    return null;
  }
}

/** Another writer, or another client of the mail server, was faster, or may have been. */
function isOutrun(error: unknown): boolean {
  return [Overtaken, MailboxGone, MailboxUnseen, MailboxReplaced].some((kind) => error instanceof kind);
}

function committed(outcome: CommitOutcome): CatalogView {
  if (outcome.kind === 'conflict') throw new Overtaken('Could not create the catalog: another writer was first');
  return outcome.view;
}
