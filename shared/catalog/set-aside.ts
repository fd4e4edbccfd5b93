/**
 * The name under which a mailbox is for a moment: while it is being destroyed, so that nobody delivers to it any more, and while it
 * changes places with another one. It tells its former name, and when that was taken from it, so that whoever finds it knows what it is.
 */
export function nameSetAside(name: string, now: number): string {
  return `${name}${mark}${now.toString(36)}`;
}

/** The former name; the name itself where it is none of these. */
export function formerName(name: string): string {
  return name.replace(setAside, '');
}

/** When the mailbox was set aside, in milliseconds since the epoch; null where it was not. */
export function setAsideAt(name: string): number | null {
  const [, at] = setAside.exec(name) ?? [];
  return at === undefined ? null : Number.parseInt(at, 36);
}

/** Nobody calls a mailbox so, and every server takes it: plain letters, no delimiter. */
const mark = '--postern-aside-';
const setAside = new RegExp(`${mark}([0-9a-z]{8,9})$`);
