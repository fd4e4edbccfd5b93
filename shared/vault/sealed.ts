import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { SealBroken, type SealContext } from './vault.ts';

/** What stands in front of the sealed octets, in the clear: under which key, and that key itself where it is wrapped by another. */
export type SealHeader = { readonly keyId: string; readonly wrappedKey: Uint8Array };

export const [keyOctets, nonceOctets] = [32, 12];
const tagOctets = 16;
const layout = 2;

/**
 * AES-256-GCM. A byte for the layout, key id and wrapped key each after its length, nonce, octets, tag. All that stands before the
 * nonce, and the context, is authenticated with the octets. `nonce` must never be used twice under one key.
 */
export function seal(
  { plain, context, header }: { plain: Uint8Array; context: SealContext; header: SealHeader },
  { key, nonce }: { readonly key: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array {
  const front = frontOf(header);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.concat([front, boundTo(context)]));
  return Buffer.concat([front, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** The header of what is sealed: it tells which key opens it. Throws `SealBroken`. */
export function headerOf(sealed: Uint8Array): SealHeader {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const idEnd = 2 + (bytes[1] ?? 0);
  const wrappedEnd = idEnd + 2 + (bytes.length >= idEnd + 2 ? bytes.readUInt16BE(idEnd) : 0);
  if (bytes[0] !== layout || bytes.length < wrappedEnd + nonceOctets + tagOctets) {
    throw new SealBroken('Could not open a seal: it is none');
  }
  return { keyId: bytes.toString('utf8', 2, idEnd), wrappedKey: bytes.subarray(idEnd + 2, wrappedEnd) };
}

/** The octets that were sealed under this key for this context. Throws `SealBroken`. */
export function unseal(sealed: Uint8Array, context: SealContext, key: Uint8Array): Uint8Array {
  const front = frontOf(headerOf(sealed));
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(front.length, front.length + nonceOctets));
  decipher.setAAD(Buffer.concat([front, boundTo(context)]));
  decipher.setAuthTag(bytes.subarray(-tagOctets));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(front.length + nonceOctets, -tagOctets)), decipher.final()]);
  } catch (cause) {
    throw new SealBroken('Could not open a seal: it was changed, or made for something else', { cause });
  }
}

function frontOf({ keyId, wrappedKey }: SealHeader): Buffer {
  const id = Buffer.from(keyId);
  if (id.length > 255 || wrappedKey.length > 0xffff)
    throw new Error('Could not seal: the key is named at too great a length');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(wrappedKey.length);
  return Buffer.concat([Buffer.from([layout, id.length]), id, length, wrappedKey]);
}

function boundTo({ account, purpose, id }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([account, purpose, id]));
}
