import type { Buffer } from 'node:buffer';

const LF = 0x0a;
const CR = 0x0d;

/** The offset behind the line feed of the line that `start` lies in, or the end of the bytes. */
export function lineEnd(bytes: Buffer, start: number): number {
  const found = bytes.indexOf(LF, start);
  return found < 0 ? bytes.length : found + 1;
}

/** Where the content of the line between `start` and `end` stops: before its CRLF or its bare LF. */
export function lineContentEnd(bytes: Buffer, start: number, end: number): number {
  if (end <= start || bytes[end - 1] !== LF) return end;
  return end - 1 > start && bytes[end - 2] === CR ? end - 2 : end - 1;
}
