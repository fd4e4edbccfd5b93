import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { submissionCapability } from '../capabilities.ts';
import { canChangeKept } from '../kept.ts';
import { canGetIdentities } from './get.ts';
import { type IdentityPorts, identityKind, identityType } from './record.ts';
import { canSetIdentities } from './set.ts';

/** Identities (RFC 8621 §6). */
export const identity = dataType('Identity', submissionCapability, {
  get: standardGet(identityType, { port: canGetIdentities }),
  changes: standardChanges(identityType, {
    port: ({ records, sending }: IdentityPorts) => canChangeKept(records, identityKind(sending.policy)),
  }),
  set: standardSet(identityType, { port: canSetIdentities }),
});
