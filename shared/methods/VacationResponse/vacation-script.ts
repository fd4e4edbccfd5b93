import { createHash } from 'node:crypto';
import type { UTCDate } from '../../jmap/scalars.ts';
import { type SieveToken, sieveTokens } from '../SieveScript/tokens.ts';
import { type AnswerBody, type BodyKind, bodyKindOf, bodyOf, reasonOf } from './answer-body.ts';

/** The script that answers mail: an ordinary one among the user's, by this name, and with the first line below. */
export const vacationScriptName = 'postern-vacation';

const firstLine = '# Answers mail. Made by VacationResponse/set: what is changed here by hand, it leaves alone.';

/** What such a script says. Dates are whole seconds. */
export type VacationScript = AnswerBody & {
  readonly fromDate: UTCDate | null;
  readonly toDate: UTCDate | null;
  readonly subject: string | null;
  /** Addresses of the user at which mail is answered, beside those that the mail server knows to be his. */
  readonly addresses: readonly string[];
  /** The user's own script, which is run after that; two while it gets another name, none where there is none. */
  readonly included: readonly string[];
  /** Of what that script says, by `digestOf`: it is found again when another program gave it another name. */
  readonly includedDigest: string | null;
};

/** A short mark of what a script says. */
export function digestOf(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url').slice(0, 20);
}

/** Whether a script by our name is one of ours, perhaps changed by somebody else since. */
export function isVacationScript({ name, octets }: { readonly name: string; readonly octets: Uint8Array }): boolean {
  const start = Buffer.from(octets.subarray(0, firstLine.length)).toString('utf8');
  return name === vacationScriptName && start === firstLine;
}

/** The extensions that a script needs. */
export function extensionsOf({ fromDate, toDate, included }: VacationScript): string[] {
  const isDated = (fromDate ?? toDate) !== null;
  return ['vacation', ...(isDated ? ['date', 'relational'] : []), ...(included.length === 0 ? [] : ['include'])];
}

/**
 * Writes the script (RFC 5228, 5230, 5260, 6609). The mail is answered before the user's own script sees it, which may stop
 * there, and must not answer too.
 */
export function writeVacationScript(vacation: VacationScript): Buffer {
  const { fromDate, toDate, subject, addresses, included, includedDigest } = vacation;
  const { text, isMime } = reasonOf(vacation);
  const action = [
    'vacation',
    ...(addresses.length === 0 ? [] : [':addresses', list(addresses)]),
    ...(subject === null ? [] : [':subject', quoted(subject)]),
    ...(isMime ? [':mime'] : []),
    quoted(text),
  ].join(' ');
  const tests = [
    ...(fromDate === null ? [] : [currentDate(fromDate, 'gt', 'ge')]),
    ...(toDate === null ? [] : [currentDate(toDate, 'lt', 'lt')]),
  ];
  const lines = [
    firstLine,
    `# Body: ${bodyKindOf(vacation)}`,
    ...(includedDigest === null ? [] : [`# Includes: ${includedDigest}`]),
    `require ${list(extensionsOf(vacation))};`,
    tests.length === 0 ? `${action};` : `if allof (${tests.join(', ')}) {\r\n${action};\r\n}`,
    ...included.map((name) => `include :personal :optional ${quoted(name)};`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'utf8');
}

const opening = /^[^\n]*\n# Body: (default|text|html|text and html)\r\n(?:# Includes: ([\w-]+)\r\n)?/;

/** Reads such a script; null where it was changed into something that `writeVacationScript` would not write. */
export function readVacationScript(octets: Uint8Array): VacationScript | null {
  const script = Buffer.from(octets).toString('utf8');
  const tokens = sieveTokens(script);
  const [, kind = '', includedDigest = null] = opening.exec(script) ?? [];
  if (tokens === null || kind === '') return null;
  const isWord = (word: string) => (token: SieveToken) => token.kind === 'word' && token.text === word;
  const actionAt = tokens.findIndex(isWord('vacation'));
  const action = tokens.slice(actionAt + 1, endOf(tokens, actionAt));
  const after = (tag: string) => action[action.findIndex((token) => token.kind === 'tag' && token.text === tag) + 1];
  const has = (tag: string) => action.some((token) => token.kind === 'tag' && token.text === tag);
  const reason = { text: action.at(-1)?.text ?? '', isMime: has(':mime') };
  const body = bodyOf(reason, kind as BodyKind);
  if (actionAt === -1 || body === null) return null;
  const read: VacationScript = {
    ...body,
    fromDate: dateIn(tokens.slice(0, actionAt), 'gt', 'ge'),
    toDate: dateIn(tokens.slice(0, actionAt), 'lt', 'lt'),
    subject: has(':subject') ? (after(':subject')?.text ?? null) : null,
    addresses: has(':addresses') ? stringsFrom(action, action.findIndex(({ text }) => text === ':addresses') + 1) : [],
    included: tokens.flatMap((token, at) =>
      isWord('include')(token) ? [tokens[endOf(tokens, at) - 1]?.text ?? ''] : [],
    ),
    includedDigest,
  };
  // What cannot be said by the properties has to be left alone.
  return writeVacationScript(read).equals(octets) ? read : null;
}

/** The time of a UTCDate in whole seconds, a fraction counting as the next one: scripts know no shorter time. */
export function wholeSeconds(date: UTCDate): UTCDate {
  const [, fraction] = /(\.\d+)Z$/.exec(date) ?? [];
  if (fraction === undefined) return date;
  const cut = `${date.slice(0, -fraction.length - 1)}Z` as UTCDate;
  const second = Date.parse(cut);
  // Not in a leap second, which Date does not know.
  return Number.isNaN(second) ? cut : (`${new Date(second + 1000).toISOString().slice(0, 19)}Z` as UTCDate);
}

/** A quoted string (RFC 5228 §2.4.2): nothing in it ends it, and nothing is expanded, for no extension that does is required. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function list(texts: readonly string[]): string {
  return `[${texts.map(quoted).join(', ')}]`;
}

/** Compares this moment with a date: its day first, then the time of that day (RFC 5260 §4.2). */
function currentDate(date: UTCDate, days: 'gt' | 'lt', times: 'ge' | 'lt'): string {
  const [day, time] = [date.slice(0, 10), date.slice(11, 19)];
  const test = (match: string, part: 'date' | 'time', value: string) =>
    `currentdate :zone "+0000" ${match} "${part}" "${value}"`;
  const sameDay = `allof (${test(':is', 'date', day)}, ${test(`:value "${times}"`, 'time', time)})`;
  return `anyof (${test(`:value "${days}"`, 'date', day)}, ${sameDay})`;
}

/** The date that such a comparison has, or null where there is none. */
function dateIn(tokens: readonly SieveToken[], days: 'gt' | 'lt', times: 'ge' | 'lt'): UTCDate | null {
  const after = (...texts: string[]) => {
    const at = tokens.findIndex((_, index) => texts.every((text, offset) => tokens[index + offset]?.text === text));
    return at === -1 ? undefined : tokens[at + texts.length]?.text;
  };
  const [day, time] = [after(':value', days, 'date'), after(':value', times, 'time')];
  return day === undefined || time === undefined ? null : (`${day}T${time}Z` as UTCDate);
}

function endOf(tokens: readonly SieveToken[], from: number): number {
  return tokens.findIndex(({ kind, text }, index) => index > from && kind === 'mark' && text === ';');
}

function stringsFrom(tokens: readonly SieveToken[], from: number): string[] {
  const end = tokens.findIndex(({ kind, text }, index) => index >= from && kind === 'mark' && text === ']');
  return tokens.slice(from, end).flatMap(({ kind, text }) => (kind === 'string' ? [text] : []));
}
