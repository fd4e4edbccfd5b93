const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** A Date of RFC 8620 §1.4 as a date-time of RFC 5322 §3.3, in the same zone; null for what is none. A fraction of a second goes. */
export function dateValue(date: string): string | null {
  const [, year, month, day, time, zone] = pattern.exec(date) ?? [];
  if (year === undefined || zone === undefined) return null;
  const weekday = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay();
  const offset = zone.toUpperCase() === 'Z' ? '+0000' : zone.replace(':', '');
  return `${days[weekday]}, ${Number(day)} ${months[Number(month) - 1]} ${year} ${time} ${offset}`;
}
