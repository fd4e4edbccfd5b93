import { withoutComments } from './comments.ts';
import { unfold } from './unfold.ts';

/** Longer values hold no date; the limit keeps hostile ones cheap. */
const dateCharsMax = 256;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The zone names of RFC 5322 §4.3, in hours east of UTC. Any other name means UTC there, and so here. */
const namedZones = new Map([
  ['edt', -4],
  ['est', -5],
  ['cdt', -5],
  ['cst', -6],
  ['mdt', -6],
  ['mst', -7],
  ['pdt', -7],
  ['pst', -8],
]);

/** day month year hour minute second zone; the day of the week is not looked at, white space may be missing or doubled. */
const dateTimePattern =
  /^(?:[a-z]+ ?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{2,4}) (\d{1,2}) ?: ?(\d{1,2})(?: ?: ?(\d{1,2})(?:[.,]\d+)?)? ?(?:(?:gmt|utc?) ?(?=[+-]))?([+-] ?\d{2}:?\d{2}|[a-z]+)?$/i;

/**
 * The Date form of a Raw header value (RFC 8621 §4.1.2.6): an RFC 3339 date-time that keeps the sender's zone, such as
 * `2014-10-30T14:12:00+08:00`; UTC is written `Z`. A zone that is missing or has an unknown name means UTC. Null for what is
 * no date-time of RFC 5322 §3.3 and §4.3, or names a day that does not exist.
 */
export function headerDate(raw: string): string | null {
  if (raw.length > dateCharsMax) return null;
  const value = withoutComments(unfold(raw)).replace(/\s+/g, ' ').trim();
  const match = dateTimePattern.exec(value);
  if (!match) return null;
  const [, dayText, monthName = '', yearText = '', hourText, minuteText, secondText = '0', zoneText = ''] = match;
  const year = fullYear(yearText);
  const month = months.indexOf(monthName.toLowerCase()) + 1;
  const day = Number(dayText);
  const hour = Number(hourText);
  const minute = Number(minuteText);
  // RFC 3339 knows second 60, but clients' date parsers do not.
  const second = Math.min(Number(secondText), 59);
  const zone = zoneOffset(zoneText);
  const exists = year >= 1900 && month > 0 && day > 0 && day <= daysIn(year, month) && hour < 24 && minute < 60;
  if (!exists || Number(secondText) > 60 || zone === null) return null;
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}${zone}`;
}

/** Years of two and three digits as RFC 5322 §4.3 reads them. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return text.length === 2 && year < 50 ? 2000 + year : 1900 + year;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The offset as RFC 3339 writes it, or null if it is out of range. */
function zoneOffset(text: string): string | null {
  const digits = text.replace(/[ :]/g, '');
  if (!/^[+-]\d{4}$/.test(digits)) {
    const hours = namedZones.get(digits.toLowerCase());
    return hours === undefined ? 'Z' : `-${pad(-hours)}:00`;
  }
  const hours = digits.slice(1, 3);
  const minutes = digits.slice(3);
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return hours === '00' && minutes === '00' ? 'Z' : `${digits[0]}${hours}:${minutes}`;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}
