import type { Email } from '../../catalog/email.ts';
import { leaves } from '../../message/body-structure.ts';
import { placesOf } from '../Email/places.ts';
import type { SubmissionPorts } from './record.ts';
import type { StoredMessage } from './relay.ts';

/** Smaller messages are read: it takes less than having the submission server log in at the mail server. Octets. */
export const storedOctetsMin = 65_536;
/** How long a submission server may read the body by its URL; clocks may differ by minutes. */
const urlMs = 10 * 60_000;

/** A message of which no more than the header was read. */
export type StoredBody = Omit<StoredMessage, 'read'>;

/**
 * The header of a message as it is stored, if the rest need not be read: the mail server can let the submission server have the body,
 * which goes out as it is stored. Null where there is any doubt of that, or it does not pay.
 */
export async function storedBody(
  email: Email,
  { catalog, messages, submission }: SubmissionPorts,
): Promise<StoredBody | null> {
  const { urls, now } = submission;
  if (email.size < storedOctetsMin || !(await urls.canGiveUrls())) return null;
  const place = placesOf([email], await (await catalog.view('recent')).mailboxes()).get(email.id);
  if (place === undefined) return null;
  const facts = (await messages.read([place], { headers: 'all', structure: true, preview: false })).get(place);
  const { headers: header, structure } = facts ?? {};
  if (header === undefined || structure === undefined || !isWholeHeader(header)) return null;
  // What SMTP has no form for (RFC 5321 §4.1.1.4), and what nobody knows.
  if (!leaves(structure).every(({ encoding }) => asIs.has(encoding))) return null;
  const bodySize = email.size - header.byteLength;
  if (bodySize < storedOctetsMin) return null;
  return { header, bodySize, bodyUrl: () => urls.urlOf(place, 'TEXT', now() + urlMs) };
}

/** Encodings of lines that SMTP takes as they are. */
const asIs: ReadonlySet<string> = new Set(['7bit', '8bit', 'base64', 'quoted-printable']);

/** Whether this is a header up to its empty line, for everybody who reads it: a CR or LF alone ends a line for some. */
function isWholeHeader(octets: Uint8Array): boolean {
  const header = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const text = header.toString('latin1');
  return !/^\r\n|\r(?!\n)|(?<!\r)\n/.test(text) && text.indexOf('\r\n\r\n') === text.length - 4;
}
