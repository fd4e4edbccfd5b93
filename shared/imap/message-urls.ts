import type { CanGiveUrls, Place } from '../methods/Email/mail.ts';
import { atom, string } from './arguments.ts';
import type { ImapCredential, ImapServer } from './endpoint.ts';
import { CommandRefused } from './failure.ts';
import { textOf } from './response.ts';
import type { ImapSession } from './session.ts';
import type { UseSession } from './use.ts';

/** URLs by which the submission server reads what lies in an account (RFC 4467). */
export function imapUrls(use: UseSession, server: ImapServer, credential: ImapCredential): CanGiveUrls {
  return {
    canGiveUrls: () => use(async (session) => session.has('URLAUTH')),
    urlOf: async (place, section, expiresAtMs) => {
      const url = urlToAuthorize(place, section, expiresAtMs, server, credential);
      return url === null ? null : use((session) => authorized(session, url));
    },
  };
}

/** A section of a message as an absolute path on its server (RFC 5092 §7.1). Throws where the name is no Unicode text. */
export function messagePath({ mailbox, uidValidity, uid }: Place, section: string): string {
  const message = `/${escaped(mailbox).replaceAll('%2F', '/')};UIDVALIDITY=${uidValidity}/;UID=${uid}`;
  return section === '' ? message : `${message}/;SECTION=${section}`;
}

/** The URL as GENURLAUTH takes it (RFC 4467 §9, `authimapurlrump`): good for the submission server when it acts for this user. */
function urlToAuthorize(
  place: Place,
  section: string,
  expiresAtMs: number,
  { imap }: Pick<ImapServer, 'imap'>,
  { user }: ImapCredential,
): string | null {
  // A path with such names in it means another one (RFC 3986 §5.2.4), and U+FEFF is in none that is text.
  if (/(?:^|\/)\.{0,2}(?:\/|$)/.test(place.mailbox) || place.mailbox.includes('\ufeff')) return null;
  const host = imap.host.includes(':') ? `[${imap.host}]` : imap.host;
  // Behind the port for TLS from the first octet a URL of IMAP finds nothing: STARTTLS is had at the usual one.
  const port = imap.tls === 'implicit' || imap.port === 143 ? '' : `:${imap.port}`;
  const expires = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const name = escaped(user);
  return `imap://${name}@${host}${port}${messagePath(place, section)};EXPIRE=${expires};URLAUTH=submit+${name}`;
}

/** Null where the server refuses, or answers with something else. */
async function authorized(session: ImapSession, url: string): Promise<string | null> {
  let answer = '';
  try {
    await session.exec('GENURLAUTH', [string(url), atom('INTERNAL')], {
      onData: ({ name, values }) => {
        if (name === 'GENURLAUTH') answer = textOf(values[0]) ?? '';
      },
    });
  } catch (error) {
    if (error instanceof CommandRefused) return null;
    throw error;
  }
  return answer.startsWith(url) && /^:internal:[\da-f]{32,}$/i.test(answer.slice(url.length)) ? answer : null;
}

/** Text with all that could be anything else than text in a URL as octets of UTF-8 (RFC 5092 §11, `enc-mailbox`, `enc-user`). */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
