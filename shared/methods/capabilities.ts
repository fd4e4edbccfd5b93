/** `urn:ietf:params:jmap:mail` (RFC 8621 §1.3.1). */
export const mailCapability = 'urn:ietf:params:jmap:mail';
/** `urn:ietf:params:jmap:submission` (RFC 8621 §1.3.2). */
export const submissionCapability = 'urn:ietf:params:jmap:submission';
/** `urn:ietf:params:jmap:blob` (RFC 9404 §3.1). */
export const blobCapability = 'urn:ietf:params:jmap:blob';
/** `urn:ietf:params:jmap:quota` (RFC 9425 §2.1). */
export const quotaCapability = 'urn:ietf:params:jmap:quota';
/** `urn:ietf:params:jmap:vacationresponse` (RFC 8621 §1.3.3). */
export const vacationCapability = 'urn:ietf:params:jmap:vacationresponse';
/** `urn:ietf:params:jmap:mdn` (RFC 9007 §1.3). */
export const mdnCapability = 'urn:ietf:params:jmap:mdn';
/** `urn:ietf:params:jmap:sieve` (RFC 9661 §1.2.1). */
export const sieveCapability = 'urn:ietf:params:jmap:sieve';

/**
 * Leniency of `using` (RFC 8620 §3.3): what many clients use under the mail capability without naming its own. Only what the
 * server has is taken from it.
 */
export const impliedCapabilities = {
  [mailCapability]: [submissionCapability, vacationCapability, quotaCapability],
};
