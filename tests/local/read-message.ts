import { Splitter } from '@zone-eu/mailsplit';
import libmime from 'libmime';

/** A message as a library reads it that had no part in writing it. */
export interface ReadMessage {
  /** The values of a header field, encoded words decoded. */
  values(field: string): string[];
  /** Content types in the order of the parts, multiparts included. */
  readonly types: readonly string[];
  readonly leaves: readonly ReadLeaf[];
}

export interface ReadLeaf {
  readonly type: string;
  readonly charset: string | undefined;
  readonly disposition: string | undefined;
  readonly filename: string | undefined;
  /** Transfer encoding undone. */
  readonly bytes: Buffer;
}

export async function readMessage(raw: Buffer): Promise<ReadMessage> {
  const splitter = new Splitter({ ignoreEmbedded: true });
  splitter.end(raw);
  const types: string[] = [];
  const leaves: (Omit<ReadLeaf, 'bytes'> & { encoding: string; body: Buffer[] })[] = [];
  let values: ReadMessage['values'] = () => [];
  for await (const chunk of splitter) {
    if (chunk.type === 'node') {
      types.push(chunk.contentType || 'text/plain');
      const { headers } = chunk;
      if (chunk.root && headers) {
        values = (field) => headers.get(field).map((line: string) => decoded(line.slice(line.indexOf(':') + 1)));
      }
      if (chunk.multipart) continue;
      leaves.push({
        type: chunk.contentType || 'text/plain',
        charset: chunk.charset || undefined,
        disposition: chunk.disposition || undefined,
        filename: chunk.filename || undefined,
        encoding: chunk.encoding || '7bit',
        body: [],
      });
    } else if (chunk.type === 'body') {
      leaves.at(-1)?.body.push(chunk.value);
    }
  }
  return {
    values,
    types,
    leaves: leaves.map(({ body, encoding, ...leaf }) => ({
      ...leaf,
      bytes: transferDecoded(Buffer.concat(body), encoding),
    })),
  };
}

const decoded = (value: string): string => libmime.decodeWords(value.replace(/\r?\n(?=[ \t])/g, '').trim());

function transferDecoded(body: Buffer, encoding: string): Buffer {
  const text = body.toString('latin1');
  if (encoding === 'base64') return Buffer.from(text, 'base64');
  if (encoding !== 'quoted-printable') return body;
  const octets = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1');
}
