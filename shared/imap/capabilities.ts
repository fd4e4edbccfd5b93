/** What a server can do: upper-case names (RFC 9051 §7.2.2). */
export type Capabilities = ReadonlySet<string>;

/** Whether the server offers it; a server of IMAP4rev2 alone offers what that includes (RFC 9051 Appendix E). */
export function offers(capabilities: Capabilities, name: string): boolean {
  return capabilities.has(name) || (isOnlyRev2(capabilities) && rev2Includes.has(name));
}

/** Whether the server speaks IMAP4rev2 and nothing older: then without being asked to. */
export function isOnlyRev2(capabilities: Capabilities): boolean {
  return capabilities.has('IMAP4REV2') && !capabilities.has('IMAP4REV1');
}

const rev2Includes: Capabilities = new Set([
  ...[
    'NAMESPACE',
    'UNSELECT',
    'ESEARCH',
    'SEARCHRES',
    'ENABLE',
    'IDLE',
    'SASL-IR',
    'LIST-EXTENDED',
    'LIST-STATUS',
    'MOVE',
  ],
  ...['LITERAL-', 'UIDPLUS', 'SPECIAL-USE', 'STATUS=SIZE', 'BINARY'],
]);
