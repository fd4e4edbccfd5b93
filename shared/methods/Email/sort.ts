// The Comparator of Email/query (RFC 8621 §4.4.2)
import { string } from '../../jmap/grammar.ts';

/** Every property that Emails are sorted by; those about a keyword must name it. Also the `emailQuerySortOptions` of §1.3.1. */
export const emailSort = {
  receivedAt: {},
  size: {},
  from: {},
  to: {},
  subject: {},
  sentAt: {},
  hasKeyword: { keyword: string },
  allInThreadHaveKeyword: { keyword: string },
  someInThreadHaveKeyword: { keyword: string },
};
