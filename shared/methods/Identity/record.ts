import { arrayOf, boolean, id, nullable, string, withDefault } from '../../jmap/grammar.ts';
import { immutable, type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { AccountRecords, RecordKind } from '../../records/account-records.ts';
import { emailAddress } from '../Email/record.ts';
import type { SendingPolicy } from './sending-policy.ts';

/** What an Identity needs of the world. */
export type IdentityPorts = {
  readonly records: AccountRecords;
  readonly sending: { readonly policy: SendingPolicy; readonly newId: () => Id };
};

/** An Identity (RFC 8621 §6). */
export const identityType = recordType('Identity', {
  id: serverSet(id),
  name: withDefault(string, ''),
  email: immutable(string),
  replyTo: nullable(arrayOf(emailAddress)),
  bcc: nullable(arrayOf(emailAddress)),
  textSignature: withDefault(string, ''),
  htmlSignature: withDefault(string, ''),
  mayDelete: serverSet(boolean),
});

export type Identity = RecordOf<typeof identityType>;
/** What is kept of one: all but what follows from its id. */
export type KeptIdentity = JsonObject & Omit<Identity, 'id' | 'mayDelete'>;

/** The Identity that every account has from the beginning and keeps. */
export const defaultIdentityId = 'Idefault' as Id;

/** The Identities of an account; the first is that of the login. */
export function identityKind({ address }: SendingPolicy): RecordKind<KeptIdentity> {
  const first: KeptIdentity = {
    name: '',
    email: address,
    replyTo: null,
    bcc: null,
    textSignature: '',
    htmlSignature: '',
  };
  return { name: 'Identity', initial: new Map([[defaultIdentityId, first]]) };
}
