import { arrayOf, id, nullable, oneOf, string, unsignedInt } from '../../jmap/grammar.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';

/** One resource of a quota root (RFC 9208 §4.2.1): how much is used and how much may be, in the unit of the resource. */
export type QuotaResource = {
  readonly root: string;
  /** In upper case: `STORAGE`, `MESSAGE` … */
  readonly resource: string;
  readonly usage: number;
  readonly limit: number;
};

/** The quotas that the mail server has for the account; none where it offers no QUOTA. */
export type CanTellQuotas = () => Promise<readonly QuotaResource[]>;

/** What a Quota needs of the world. */
export type QuotaPorts = { readonly quotas: CanTellQuotas };

/** A Quota (RFC 9425 §4.1). Only the server sets one. */
export const quotaType = recordType('Quota', {
  id: serverSet(id),
  resourceType: serverSet(oneOf('count', 'octets')),
  used: serverSet(unsignedInt),
  hardLimit: serverSet(unsignedInt),
  scope: serverSet(oneOf('account', 'domain', 'global')),
  name: serverSet(string),
  types: serverSet(arrayOf(string)),
  warnLimit: serverSet(nullable(unsignedInt)),
  softLimit: serverSet(nullable(unsignedInt)),
  description: serverSet(nullable(string)),
});

export type Quota = RecordOf<typeof quotaType>;
