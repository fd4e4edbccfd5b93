import iconv from 'iconv-lite';

/** The bytes of a text in a charset that mail uses. Throws when the charset cannot hold the text. */
export function encodeText(text: string, charset: string): Buffer {
  const name = charset.toLowerCase();
  if (name === 'iso-2022-jp') return encodeIso2022Jp(text);
  const bytes = iconv.encode(text, name);
  if (iconv.decode(bytes, name) !== text) throw new Error(`Not a text in ${charset} "${text}"`);
  return bytes;
}

/**
 * RFC 1468: JIS X 0208 between ESC $ B and ESC ( B, and ASCII again before each line ends. The two octets of a
 * character are those of EUC-JP without their highest bits.
 */
function encodeIso2022Jp(text: string): Buffer {
  const chunks = text.split(/([^\x00-\x7f]+)/).map((run, index) => {
    if (index % 2 === 0) return Buffer.from(run, 'latin1');
    const eucJp = encodeText(run, 'euc-jp');
    return Buffer.concat([Buffer.from('\x1b$B'), eucJp.map((byte) => byte & 0x7f), Buffer.from('\x1b(B')]);
  });
  return Buffer.concat(chunks);
}
