const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,127}";
const wellFormed = new RegExp(
  `^${token}/${token}(?: *; *${token}=(?:${token}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"))*$`,
);

/** The media type (RFC 6838 §4.2) that somebody named; octets where it is none that a header could hold. */
export function mediaType(asked: string | null): string {
  return asked !== null && asked.length <= 500 && wellFormed.test(asked) ? asked : 'application/octet-stream';
}
