import type { Slice } from '../../shared/methods/Blob/uploads.ts';
import { HttpError } from './problem.ts';

/**
 * The one range of octets that a `Range` header asks for (RFC 9110 §14.2), as far as it lies within `size`. Null, for the
 * whole, when it asks for several or for nothing that makes sense; `HttpError` 416 when no octet is in the range.
 */
export function byteRange(header: string | null, size: number): Slice | null {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const offset = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (offset < end) return { offset, length: end - offset };
  throw new HttpError(416, `The blob has ${size} octets.`, { 'Content-Range': `bytes */${size}` });
}
