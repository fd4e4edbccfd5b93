/** What I-JSON keeps out of strings (RFC 7493 §2.1): halves of surrogate pairs, and the noncharacters of Unicode. */
const forbidden = /[\p{Cs}\p{Noncharacter_Code_Point}]/gu;
/** Only a text with one of these code units can hold any; most have none. */
const suspicious = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;

/** The text as I-JSON may hold it: U+FFFD stands for what it may not. Every text that comes from a message goes through here. */
export function iJsonText(text: string): string {
  return suspicious.test(text) ? text.replace(forbidden, '\ufffd') : text;
}
