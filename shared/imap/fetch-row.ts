import type { ImapResponse, ImapValue } from './response.ts';
import { numberOf } from './response.ts';

/** One `* n FETCH (…)`: names and values in turn, as they came. */
export type FetchRow = { readonly uid: number; readonly items: readonly ImapValue[] };

/** The row of a FETCH response; null for other responses, and for rows that tell no UID (they answer no UID FETCH). */
export function fetchRow(response: Extract<ImapResponse, { kind: 'data' }>): FetchRow | null {
  if (response.name !== 'FETCH') return null;
  const items = response.values[0];
  if (!Array.isArray(items)) return null;
  const uid = numberOf(fetchItem(items, 'UID'));
  return uid === null || uid === 0 ? null : { uid, items };
}

/** The value of an item by its upper-case name; undefined where it is missing, null where it is NIL. */
export function fetchItem(items: readonly ImapValue[], name: string): ImapValue | undefined {
  for (let at = 0; at + 1 < items.length; at += 2) {
    const key = items[at];
    if (key === name || (typeof key === 'string' && key.length === name.length && key.toUpperCase() === name)) {
      return items[at + 1];
    }
  }
  return undefined;
}

/**
 * The value of `BODY[section]`, or of `BODY[section]<origin>` where a part of it was asked for. What follows the first words
 * of a section is passed over: servers repeat the list of header fields in their own order and quoting. `''` is the whole
 * message.
 */
export function fetchSection(items: readonly ImapValue[], section: string, origin?: number): ImapValue | undefined {
  const start = `BODY[${section}`;
  const end = origin === undefined ? ']' : `]<${origin}>`;
  for (let at = 0; at + 1 < items.length; at += 2) {
    const key = items[at];
    if (typeof key !== 'string' || !key.endsWith(end)) continue;
    const after = key[start.length];
    if ((after === ']' || after === ' ') && key.slice(0, start.length).toUpperCase() === start) return items[at + 1];
  }
  return undefined;
}

/** The value of a section of which a part was asked. QUIRK: some servers leave the origin out of their answer. */
export function fetchPartial(items: readonly ImapValue[], section: string, origin: number): ImapValue | undefined {
  return fetchSection(items, section, origin) ?? fetchSection(items, section);
}

/** INTERNALDATE (RFC 9051 §9 `date-time`) in seconds since the epoch; the day may be padded with a space, a zero or nothing. */
export function internalDate(value: ImapValue | undefined): number | null {
  if (typeof value !== 'string') return null;
  const match = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(value);
  if (!match) return null;
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const monthIndex = monthOf(month);
  if (monthIndex < 0) return null;
  const time = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60;
  return secondsAt(Number(year), monthIndex, Number(day)) + time + (sign === '-' ? offset : -offset);
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The month of a `date-month`, from 0; −1: it is none. */
export function monthOf(name: string): number {
  return months.indexOf(name.toLowerCase());
}

/** Midnight UTC of a day in seconds since the epoch. */
export function secondsAt(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) / 1000;
}
