import type { CanTellQuotas, QuotaResource } from '../methods/Quota/record.ts';
import { mailbox } from './arguments.ts';
import { CommandRefused } from './failure.ts';
import { type ImapValue, listOf, numberOf, textOf } from './response.ts';
import type { ImapSession } from './session.ts';
import type { UseSession } from './use.ts';

/** The quota roots of the inbox, by one GETQUOTAROOT (RFC 9208 §4.1.2, RFC 2087 §4.3), where the server offers QUOTA. */
export function imapQuotas(use: UseSession): CanTellQuotas {
  return () => use(async (session) => (session.has('QUOTA') ? readQuotas(session) : []));
}

async function readQuotas(session: ImapSession): Promise<readonly QuotaResource[]> {
  const told: QuotaResource[] = [];
  try {
    await session.exec('GETQUOTAROOT', [mailbox('INBOX')], {
      onData: ({ name, values: [root, resources] }) => {
        if (name === 'QUOTA') told.push(...resourcesOf(textOf(root) ?? '', listOf(resources)));
      },
    });
  } catch (error) {
    // A server may offer QUOTA and have none for this user.
    if (!(error instanceof CommandRefused)) throw error;
  }
  return told;
}

/** `(STORAGE 10 512 MESSAGE 3 100)`: what cannot be read as numbers has no limit that could be shown. */
function resourcesOf(root: string, list: readonly ImapValue[]): QuotaResource[] {
  const resources: QuotaResource[] = [];
  for (let at = 0; at + 2 < list.length; at += 3) {
    const resource = (textOf(list[at]) ?? '').toUpperCase();
    const usage = numberOf(list[at + 1], Number.MAX_SAFE_INTEGER);
    const limit = numberOf(list[at + 2], Number.MAX_SAFE_INTEGER);
    if (usage !== null && limit !== null) resources.push({ root, resource, usage, limit });
  }
  return resources;
}
