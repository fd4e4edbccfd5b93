/** Longer names are cut: file systems stop near 255 octets. */
const maxNameCharacters = 200;

/**
 * `Content-Disposition: attachment` with the file's name (RFC 6266): as it is where ASCII says it, else with a readable
 * ASCII likeness and the whole name in the form of RFC 8187.
 */
export function contentDisposition(name: string): string {
  const printable = Buffer.from(name)
    .toString()
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ');
  const shown = [...printable.trim()].slice(0, maxNameCharacters).join('');
  if (shown === '') return 'attachment';
  const ascii = shown.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  const quoted = `attachment; filename="${ascii}"`;
  return ascii === shown ? quoted : `${quoted}; filename*=UTF-8''${extended(shown)}`;
}

/** RFC 8187 `ext-value`: percent-encodes everything but `attr-char`. */
function extended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
