import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestCyrus, TestDovecot } from './servers.ts';

/** A message to be delivered: its envelope, and its octets as latin1 with CRLF. */
export type Delivery = { readonly from: string; readonly to: string; readonly message: string };

/** Delivers by LMTP (RFC 2033), and resolves when whatever the user's scripts do has been done. Throws when it is refused. */
export async function deliver(
  { host, lmtpPort }: Pick<TestDovecot | TestCyrus, 'host' | 'lmtpPort'>,
  mail: Delivery,
): Promise<void> {
  const text = mail.message.replace(/^\./gm, '..');
  const steps = ['LHLO tests', `MAIL FROM:<${mail.from}>`, `RCPT TO:<${mail.to}>`, 'DATA', `${text}\r\n.`, 'QUIT'];
  const socket = connect(lmtpPort, host);
  for await (const line of createInterface({ input: socket })) {
    if (/^\d{3}-/.test(line)) continue;
    if (!/^[23]/.test(line)) throw new Error(`Could not deliver: ${line}`);
    const next = steps.shift();
    if (next !== undefined) socket.write(`${next}\r\n`, 'latin1');
    // Cyrus leaves it to the client to close.
    else socket.end();
  }
  if (steps.length > 0) throw new Error('Could not deliver: the connection ended');
}

/** A message that a script has sent. */
export type SentMessage = { readonly to: string; readonly octets: Buffer };

/** What scripts have sent to this address. */
export async function sentTo(
  { outbox }: Pick<TestDovecot | TestCyrus, 'outbox'>,
  address: string,
): Promise<SentMessage[]> {
  const sent: SentMessage[] = [];
  for (const file of await readdir(outbox)) {
    if (!file.endsWith('.eml')) continue;
    const octets = await readFile(path.join(outbox, file));
    const lineEnd = octets.indexOf('\n');
    const to = octets.toString('utf8', 0, lineEnd).split(' ').at(-1) ?? '';
    if (to === address) sent.push({ to, octets: octets.subarray(lineEnd + 1) });
  }
  return sent;
}
