import { boolean, type Grammar, id, narrowed, nullable, string, utcDate, withDefault } from '../../jmap/grammar.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import type { Id } from '../../jmap/scalars.ts';
import type { CanManageScripts } from '../SieveScript/scripts.ts';

/** What a VacationResponse needs of the world. `ownAddresses`: those of the user, at which he gets mail. */
export type VacationPorts = { readonly scripts: CanManageScripts; readonly ownAddresses: readonly string[] };

/** The id of the one VacationResponse of an account (RFC 8621 §8). */
export const singletonId = 'singleton' as Id;

/** Characters of a subject. */
const subjectCharactersMax = 500;

/** Text without NUL, which no script can hold, and without halves of characters. */
const body: Grammar<string> = narrowed(string, (text) =>
  /[\0\p{Cs}]/u.test(text) ? 'holds NUL or what is no character' : undefined,
);
const subject: Grammar<string> = narrowed(string, (text) => {
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text)) return 'expected one line of text';
  return text.length > subjectCharactersMax ? `expected at most ${subjectCharactersMax} characters` : undefined;
});

/** A VacationResponse (RFC 8621 §8). */
export const vacationType = recordType('VacationResponse', {
  id: serverSet(id),
  isEnabled: withDefault(boolean, false),
  fromDate: nullable(utcDate),
  toDate: nullable(utcDate),
  subject: nullable(subject),
  textBody: nullable(body),
  htmlBody: nullable(body),
});

export type VacationResponse = RecordOf<typeof vacationType>;
