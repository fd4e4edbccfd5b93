import { MailboxGone, MailboxUnseen } from '../catalog/source.ts';
import type { IdentityFacts } from './appearance.ts';
import { atom } from './arguments.ts';
import type { ImapServer } from './endpoint.ts';
import { CommandRefused } from './failure.ts';
import { fetchItem } from './fetch-row.ts';
import { type ImapValue, listOf, textOf } from './response.ts';
import type { ImapSession } from './session.ts';

/** The best way to name Emails that the server offers and the operator does not forbid; see identity schemes in catalog/view.ts. */
export async function chooseScheme(
  session: ImapSession,
  forbidden: ImapServer['forbiddenIdentitySchemes'],
): Promise<IdentityFacts> {
  if (session.has('OBJECTID') && !forbidden.includes('objectid')) {
    return { scheme: 'objectid', threads: await threadsOf(session) };
  }
  if (session.has('X-GM-EXT-1') && !forbidden.includes('gmail')) return { scheme: 'gmail', threads: 'server' };
  if (!forbidden.includes('xguid') && (await hasXGuid(session))) return { scheme: 'xguid', threads: 'derived' };
  return { scheme: 'digest', threads: 'derived' };
}

/**
 * A server may name Emails and no threads (RFC 8474 §5.2: THREADID NIL). Where that cannot be seen yet, its word is waited
 * for: messages whose thread it does not name get a derived one nevertheless, the same as if all were derived.
 */
async function threadsOf(session: ImapSession): Promise<'server' | 'derived'> {
  const threadId = await itemOfLastMessage(session, 'THREADID');
  // QUIRK(cyrus 3.6): without conversations it says THREADID (NIL) instead of THREADID NIL.
  return threadId === undefined || textOf(listOf(threadId)[0]) !== null ? 'server' : 'derived';
}

/**
 * QUIRK(dovecot): no capability tells of the FETCH item X-GUID, so it is tried. Where there is no message to try it on, the
 * server must also call itself Dovecot: others might accept what they do not know.
 */
async function hasXGuid(session: ImapSession): Promise<boolean> {
  try {
    const guid = await itemOfLastMessage(session, 'X-GUID');
    return guid === undefined ? /dovecot/i.test(await serverName(session)) : textOf(guid) !== null;
  } catch (error) {
    if (error instanceof CommandRefused) return false;
    throw error;
  }
}

/** The item of the newest message in the inbox; undefined where there is no message, null where it has none. */
async function itemOfLastMessage(session: ImapSession, item: string): Promise<ImapValue | undefined> {
  let value: ImapValue | undefined;
  try {
    const wanted = [atom('UID'), atom(item)];
    const { refusal } = await session.examineAndFetch('INBOX', '*', wanted, { rowsMax: 1 }, ({ items }) => {
      value = fetchItem(items, item) ?? null;
    });
    if (refusal !== null) throw refusal;
  } catch (error) {
    if (error instanceof MailboxGone || error instanceof MailboxUnseen) return undefined;
    throw error;
  }
  return value;
}

/** What the server calls itself (RFC 2971); empty where it does not say. */
async function serverName(session: ImapSession): Promise<string> {
  let name = '';
  if (!session.has('ID')) return name;
  await session.exec('ID', [atom('NIL')], {
    onData: ({ name: what, values }) => {
      const fields = what === 'ID' ? listOf(values[0]).map(textOf) : [];
      name = fields[fields.findIndex((field, index) => index % 2 === 0 && field?.toLowerCase() === 'name') + 1] ?? '';
    },
  });
  return name;
}
