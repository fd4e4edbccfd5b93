import type { SmtpReply } from '../methods/EmailSubmission/relay.ts';

/** Characters of a reply that are passed on. */
const textMax = 2_000;

/** Lines of an SMTP reply → the reply; null for what is none. */
export function parseReply(raw: string): SmtpReply | null {
  const code = /^([2-5]\d\d)(?:[ -]|$)/.exec(raw)?.[1];
  return code === undefined ? null : { code: Number(code), text: smtpReplyOf(raw) };
}

/**
 * RFC 8621 §7, `smtpReply`: the hyphens after the code become spaces, what lines after the first have in common with it at
 * their beginning goes (whole words of it), and line ends become spaces.
 */
function smtpReplyOf(raw: string): string {
  const [first = '', ...others] = raw
    .split(/\r?\n/)
    .map((line) => line.replace(/^(\d{3})-/, '$1 ').replace(/[\x00-\x1f\x7f]+/g, ' '));
  const lines = [first, ...others.map((line) => line.slice(commonWords(first, line)))];
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, textMax)
    .replace(/\p{Cs}$/u, '');
}

/** How long the words are that both begin with, spaces included. */
function commonWords(first: string, other: string): number {
  let same = 0;
  while (same < other.length && first[same] === other[same]) same += 1;
  return same === other.length ? same : other.lastIndexOf(' ', same - 1) + 1;
}
