// The FilterCondition of Email/query (RFC 8621 §4.4.1)
import { arrayOf, boolean, id, narrowed, string, unsignedInt, utcDate } from '../../jmap/grammar.ts';

/** A header field name (RFC 5322 §2.2), and the text to look for in the field. */
const header = narrowed(arrayOf(string), ([name, , ...more]) => {
  if (name === undefined || more.length > 0) return 'expected one or two elements';
  return /^[\x21-\x39\x3b-\x7e]+$/.test(name) ? undefined : 'the first element is no name of a header field';
});

/** Every condition with its type. */
export const emailFilter = {
  inMailbox: id,
  inMailboxOtherThan: arrayOf(id),
  before: utcDate,
  after: utcDate,
  minSize: unsignedInt,
  maxSize: unsignedInt,
  allInThreadHaveKeyword: string,
  someInThreadHaveKeyword: string,
  noneInThreadHaveKeyword: string,
  hasKeyword: string,
  notKeyword: string,
  hasAttachment: boolean,
  text: string,
  from: string,
  to: string,
  cc: string,
  bcc: string,
  subject: string,
  body: string,
  header,
};
