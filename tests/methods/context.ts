import type { AccountContext } from '../../shared/jmap/method.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { mailCapability } from '../../shared/methods/capabilities.ts';

/** The context of a call in account `a`, with the limits that RFC 8620 §2 suggests at the least. */
export function contextFor<Ports>(ports: Ports): AccountContext<Ports> {
  return {
    accountId: 'a' as Id,
    accounts: new Map(),
    capability: mailCapability,
    createdIds: new Map(),
    using: new Set([mailCapability]),
    limits: {
      maxSizeUpload: 50_000_000,
      maxConcurrentUpload: 4,
      maxSizeRequest: 10_000_000,
      maxConcurrentRequests: 4,
      maxCallsInRequest: 16,
      maxObjectsInGet: 500,
      maxObjectsInSet: 500,
      collationAlgorithms: ['i;ascii-casemap', 'i;unicode-casemap'],
    },
    portsOf: () => ports,
    report: (error) => {
      throw error;
    },
  };
}
