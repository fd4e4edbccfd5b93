/** Mailboxes that one Email may be in: on the mail server each of them has a copy. */
export const mailboxesPerEmailMax = 100;
/** Keywords that one Email may have. */
export const keywordsPerEmailMax = 200;
/** Octets of all blobs in one Email that is created, decoded: `maxSizeAttachmentsPerEmail` (RFC 8621 §1.3.1). */
export const attachmentsOctetsMax = 50_000_000;
