import { Buffer } from 'node:buffer';

/** A value of a response: atom, number or quoted string as text, a literal as octets, NIL as null, a parenthesised list. */
export type ImapValue = string | Buffer | null | readonly ImapValue[];

/** `[UIDVALIDITY 17]` in a status response. */
export type ResponseCode = { readonly name: string; readonly values: readonly ImapValue[] };

export type ResponseStatus = 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';

/** One response of a server (RFC 9051 §7). */
export type ImapResponse =
  | { readonly kind: 'continuation'; readonly text: string }
  | {
      readonly kind: 'status';
      /** null: untagged. */
      readonly tag: string | null;
      readonly status: ResponseStatus;
      readonly code: ResponseCode | null;
      readonly text: string;
    }
  | {
      readonly kind: 'data';
      /** The number in `* 12 FETCH`, else null. */
      readonly number: number | null;
      /** Upper case. */
      readonly name: string;
      readonly values: readonly ImapValue[];
    }
  /** A line that is none of these; one broken row must not spoil the others. */
  | { readonly kind: 'malformed'; readonly tag: string | null };

/** The text of a value that should be a string; null for NIL and lists. Octets are read as UTF-8 where they are that. */
export function textOf(value: ImapValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? decodeOctets(value) : null;
}

/** The octets of a value that should be a string, as latin1; null for NIL and lists. */
export function octetsOf(value: ImapValue | undefined): Buffer | null {
  if (Buffer.isBuffer(value)) return value;
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : null;
}

/** A list's members; empty for anything else. */
export function listOf(value: ImapValue | undefined): readonly ImapValue[] {
  return Array.isArray(value) ? value : [];
}

/** A number that IMAP could mean, up to `max`; null for anything else. */
export function numberOf(value: ImapValue | undefined, max = 0xffff_ffff): number | null {
  if (typeof value !== 'string' || value.length > 16 || !/^\d+$/.test(value)) return null;
  const number = Number(value);
  return number <= max ? number : null;
}

export function decodeOctets(octets: Buffer): string {
  const text = octets.toString('utf8');
  return text.includes('\ufffd') ? octets.toString('latin1') : text;
}
