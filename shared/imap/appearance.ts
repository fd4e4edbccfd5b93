import type { Appearance } from '../catalog/source.ts';
import type { IdentityScheme } from '../catalog/view.ts';
import { parseHeaders } from '../message/parse-headers.ts';
import { unfold } from '../message/unfold.ts';
import { atom, bodyPeek, type ImapArgument, list } from './arguments.ts';
import { type FetchRow, fetchItem, fetchSection, internalDate } from './fetch-row.ts';
import { type ImapValue, listOf, numberOf, octetsOf, textOf } from './response.ts';

/** How the account's Email and Thread ids are made. */
export type IdentityFacts = { readonly scheme: IdentityScheme; readonly threads: 'server' | 'derived' };

const threadFields = ['MESSAGE-ID', 'REFERENCES', 'IN-REPLY-TO'] as const;
const digestFields = ['DATE', 'FROM'] as const;
/** How much of the Received fields goes into a digest. */
const receivedOctets = 512;

/** What identity needs of a message, and no more. */
export function appearanceItems({ scheme, threads }: IdentityFacts): ImapArgument[] {
  const items = [atom('UID'), atom('FLAGS'), atom('INTERNALDATE'), atom('RFC822.SIZE')];
  if (scheme === 'objectid') items.push(atom('EMAILID'), ...(threads === 'server' ? [atom('THREADID')] : []));
  if (scheme === 'gmail') items.push(atom('X-GM-MSGID'), ...(threads === 'server' ? [atom('X-GM-THRID')] : []));
  if (scheme === 'xguid') items.push(atom('X-GUID'));
  const fields = [...(threads === 'derived' ? threadFields : []), ...(scheme === 'digest' ? digestFields : [])];
  if (scheme === 'digest' && threads === 'server') fields.unshift('MESSAGE-ID');
  if (fields.length > 0) items.push(headerFields(fields));
  if (scheme === 'digest')
    items.push(bodyPeek([atom('HEADER.FIELDS'), list(atom('RECEIVED'))], { from: 0, count: receivedOctets }));
  return items;
}

/** What a thread is derived from, for messages whose server names none (RFC 8474 §5.2: THREADID NIL). */
export function threadItems(): ImapArgument[] {
  return [headerFields(threadFields)];
}

/**
 * The message of a row; null for rows that do not answer the question, such as news of a flag. A missing or unreadable
 * INTERNALDATE is the epoch: the message must not be lost for it.
 */
export function appearanceOf({ uid, items }: FetchRow, { scheme }: IdentityFacts): Appearance | null {
  const size = numberOf(fetchItem(items, 'RFC822.SIZE'), Number.MAX_SAFE_INTEGER);
  if (size === null) return null;
  const fields = headerFieldsIn(items);
  const { email, thread } = serverIdItems(scheme);
  return {
    uid,
    flags: flagsOf(fetchItem(items, 'FLAGS')),
    internalDate: internalDate(fetchItem(items, 'INTERNALDATE')) ?? 0,
    size,
    serverEmailId: serverId(items, email),
    serverThreadId: serverId(items, thread),
    ...threadFieldsIn(fields),
    digestFields:
      scheme === 'digest'
        ? { date: fields.get('date') ?? '', from: fields.get('from') ?? '', received: receivedIn(items) }
        : null,
  };
}

/** The items in which a server names a message and its thread. */
export function serverIdItems(scheme: IdentityScheme): { readonly email: string; readonly thread: string } {
  return {
    email: scheme === 'objectid' ? 'EMAILID' : scheme === 'gmail' ? 'X-GM-MSGID' : 'X-GUID',
    thread: scheme === 'gmail' ? 'X-GM-THRID' : 'THREADID',
  };
}

/** The answer to `threadItems`. */
export function threadFieldsOf({ items }: FetchRow): Pick<Appearance, 'messageId' | 'references' | 'inReplyTo'> {
  return threadFieldsIn(headerFieldsIn(items));
}

export function flagsOf(value: ImapValue | undefined): readonly string[] {
  return listOf(value).filter((flag) => typeof flag === 'string');
}

function headerFields(names: readonly string[]): ImapArgument {
  return bodyPeek([atom('HEADER.FIELDS'), list(...names.map(atom))]);
}

/** The unfolded values of the fields in the first HEADER.FIELDS section, by lower-case names; the first of a name counts. */
function headerFieldsIn(items: readonly ImapValue[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const block = octetsOf(fetchSection(items, 'HEADER.FIELDS'));
  for (const { name, value } of block === null ? [] : parseHeaders(block)) {
    const key = name.toLowerCase();
    if (!fields.has(key)) fields.set(key, unfold(value).trim());
  }
  return fields;
}

function threadFieldsIn(
  fields: ReadonlyMap<string, string>,
): Pick<Appearance, 'messageId' | 'references' | 'inReplyTo'> {
  return {
    messageId: fields.get('message-id') ?? '',
    references: fields.get('references') ?? '',
    inReplyTo: fields.get('in-reply-to') ?? '',
  };
}

function receivedIn(items: readonly ImapValue[]): string {
  return octetsOf(fetchSection(items, 'HEADER.FIELDS', 0))?.toString('latin1') ?? '';
}

/** EMAILID (RFC 8474 §5.1) comes in parentheses, the ids of others plain. */
function serverId(items: readonly ImapValue[], name: string): string | null {
  const value = fetchItem(items, name);
  return textOf(Array.isArray(value) ? value[0] : value);
}
