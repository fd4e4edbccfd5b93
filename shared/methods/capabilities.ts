/** `urn:ietf:params:jmap:mail` (RFC 8621 §1.3.1). */
export const mailCapability = 'urn:ietf:params:jmap:mail';
