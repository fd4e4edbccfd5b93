import { Buffer } from 'node:buffer';
import type { SetError } from '../../../shared/jmap/errors.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { base64Encoded } from '../../../shared/message/compose/base64.ts';
import {
  type BlobContent,
  type ComposedMessage,
  composeMessage,
} from '../../../shared/message/compose/compose-message.ts';
import { linesOf } from '../../../shared/message/compose/crlf-lines.ts';
import { isMessageType } from '../../../shared/message/compose/draft.ts';
import { emailDraft } from '../../../shared/message/compose/email-draft.ts';

/** Blobs that a draft may name, as text. */
export const blobs: ReadonlyMap<string, Buffer> = new Map([
  ['Bpng', Buffer.from('89504e470d0a1a0a0000', 'hex')],
  ['Btext', Buffer.from('Guten Tag, Größe!\n')],
  ['Bempty', Buffer.alloc(0)],
  ['Bbig', Buffer.alloc(10_000, 'x')],
  ['Bmessage', Buffer.from('Subject: inner\r\n\r\n--x\r\nbody\r\n')],
  ['Blong', Buffer.from(`Subject: inner\r\n\r\n${'x'.repeat(999)}\r\n`)],
  ['B8bit', Buffer.from('Subject: innér\r\n\r\nbödy\r\n')],
]);

/** When the messages of these tests are made. */
export const madeAt = Date.UTC(2026, 10, 29, 2, 0, 0);

/** The message that an Email object becomes, or its refusal. */
export async function composed(email: JsonObject): Promise<Buffer | SetError> {
  const draft = emailDraft(email);
  if (!draft.ok) return draft.error;
  let keys = 0;
  const contentOf = ({ type, blobId }: { type: string; blobId: string }): BlobContent<Buffer> => {
    const source = blobs.get(blobId) ?? Buffer.from('?');
    const size = source.length;
    if (!isMessageType(type)) return { kind: 'octets', source, size };
    return { kind: 'message', source, size, encoding: linesOf(source).encoding };
  };
  const message = composeMessage(draft.value, contentOf, { now: madeAt, randomKey: () => `key${keys++}` });
  return written(message);
}

/** All octets of a message; every piece has to have the size it claims. */
export async function written(message: ComposedMessage<Buffer>): Promise<Buffer> {
  const octets: Buffer[] = [];
  for (const piece of message.pieces) {
    if (piece.kind === 'octets') octets.push(Buffer.from(piece.octets));
    else {
      const chunks = piece.isToEncode ? await collected(base64Encoded(chunksOf(piece.source))) : piece.source;
      if (chunks.length !== piece.size) throw new Error(`A piece has ${chunks.length} octets, not ${piece.size}`);
      octets.push(chunks);
    }
  }
  const all = Buffer.concat(octets);
  if (all.length !== message.size) throw new Error(`The message has ${all.length} octets, not ${message.size}`);
  return all;
}

export async function* chunksOf(octets: Uint8Array, size = 100): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

export async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** The message as text, where the Email has to be accepted. */
export async function message(email: JsonObject): Promise<Buffer> {
  const result = await composed(email);
  if (!(result instanceof Uint8Array)) throw new Error(`Refused: ${JSON.stringify(result)}`);
  return result;
}

/** The refusal, where the Email has to be refused. */
export async function refusal(email: JsonObject): Promise<SetError> {
  const result = await composed(email);
  if (result instanceof Uint8Array) throw new Error(`Accepted: ${result.toString()}`);
  return result;
}
