import type { JsonObject } from './scalars.ts';

/** The value of `urn:ietf:params:jmap:core` in the Session's capabilities (RFC 8620 §2): the limits in force. Sizes in octets. */
export type CoreCapability = {
  maxSizeUpload: number;
  maxConcurrentUpload: number;
  maxSizeRequest: number;
  maxConcurrentRequests: number;
  maxCallsInRequest: number;
  maxObjectsInGet: number;
  maxObjectsInSet: number;
  collationAlgorithms: string[];
};

/** An Account of the Session (§2). */
export type Account = {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  /** By capability URI. */
  accountCapabilities: { [capability: string]: JsonObject };
};
