// Identity/get (RFC 8621 §6.1)
import type { Id } from '../../jmap/scalars.ts';
import type { CanGet } from '../../jmap/verbs.ts';
import { canGetKept } from '../kept.ts';
import { defaultIdentityId, type Identity, type IdentityPorts, identityKind, type KeptIdentity } from './record.ts';

/** Never empty: there is one of the login from the beginning. */
export function canGetIdentities({ records, sending }: IdentityPorts): CanGet<Identity> {
  return canGetKept(records, identityKind(sending.policy), shown);
}

/** The Identity as clients see it. */
export function shown(id: Id, kept: KeptIdentity): Identity {
  return { ...kept, id, mayDelete: id !== defaultIdentityId };
}
