import type { ChangingCatalog } from '../../catalog/account.ts';
import type { Span } from '../../catalog/adopt.ts';
import type { OwnStructure } from '../../catalog/own-structure.ts';
import type { Surroundings } from '../../catalog/store.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { type Result, type SetError, Unavailable } from '../../jmap/errors.ts';
import type { AccountRecords } from '../../records/account-records.ts';
import { lookAnew } from '../look-anew.ts';
import type { CanWriteMailboxes, MailboxFailure } from './writing.ts';

/** What it takes to change mailboxes. */
export type StructurePorts = {
  readonly catalog: ChangingCatalog;
  readonly mailboxes: CanWriteMailboxes;
  readonly records: AccountRecords;
  readonly surroundings: Pick<Surroundings, 'now'>;
};

/** What became of the records of a step, and of the catalog by it. */
export type StructureStep<K, T> = Span & { readonly results: ReadonlyMap<K, Result<T, SetError>> };

/** Commands in a row: once one of them may have done something, what fails is told and not thrown. */
export type Deeds = {
  readonly carryOut: (command: () => Promise<MailboxFailure | null>) => Promise<MailboxFailure | null>;
  /** Whether something may have been changed. */
  readonly hasBegun: () => boolean;
};

export function deeds(): Deeds {
  let hasBegun = false;
  return {
    carryOut: async (command) => {
      try {
        const failure = await command();
        hasBegun ||= failure === null || failure === 'lost' || failure === 'unclear';
        return failure;
      } catch (error) {
        if (!(error instanceof Unavailable) || !hasBegun) throw error;
        return 'lost';
      }
    },
    hasBegun: () => hasBegun,
  };
}

const nothing: OwnStructure = {
  created: new Map(),
  renamed: new Map(),
  subscribed: new Set(),
  destroyed: new Map(),
  kept: new Map(),
};

/**
 * The catalog after what was done; throws `OutcomeUnknown` where that cannot be seen. Only who knows what was done can tell a mailbox
 * that was destroyed from a new one of its name.
 */
export function adoptStructure(
  catalog: ChangingCatalog,
  since: CatalogView,
  done: Partial<OwnStructure>,
): Promise<Span> {
  return lookAnew(() => catalog.adopt(since, { mailboxes: new Map(), structure: { ...nothing, ...done } }));
}

/** The refusal of a Mailbox with which something went wrong. */
export function errorOf(failure: MailboxFailure): SetError {
  return setErrors[failure];
}

/**
 * The refusal of a Mailbox that cannot be destroyed. No property of it is to blame: servers protect some mailboxes, such as Cyrus those
 * with a special use.
 */
export function errorOfRemoval(failure: MailboxFailure): SetError {
  const isRefused = failure === 'refused' || failure === 'name' || failure === 'exists';
  return errorOf(isRefused ? 'forbidden' : failure);
}

const setErrors: Readonly<Record<MailboxFailure, SetError>> = {
  name: invalidName('the mail server has no such names'),
  refused: invalidName('the mail server refuses it'),
  exists: { type: 'alreadyExists', description: 'the mail server has such a mailbox' },
  missing: { type: 'notFound', description: 'the mail server has no such mailbox any more' },
  forbidden: { type: 'forbidden', description: 'the mail server does not allow it' },
  overQuota: { type: 'overQuota', description: 'the mail server has no room for it' },
  hasChild: { type: 'mailboxHasChild', description: 'the mail server has a mailbox below it' },
  changed: {
    type: 'mailboxHasEmail',
    description: 'what is in it changed a moment ago, so nothing of it was destroyed',
  },
  lost: { type: 'serverUnavailable', description: 'the mail server did not answer' },
  unclear: { type: 'serverUnavailable', description: 'the mail server did not answer' },
};

function invalidName(description: string): SetError {
  return { type: 'invalidProperties', properties: ['name'], description: `name: ${description}` };
}
