import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Provider, singleProvider } from '../../shared/providers.ts';
import { startDemoAnswers } from './demo-answers.ts';
import { type DemoSubmission, startDemoSubmission } from './demo-submission.ts';
import { hasPigeonhole, startDovecot } from './dovecot.ts';
import { fillSampleMailbox } from './sample-mail/fill-sample-mailbox.ts';

export interface DemoMailServer {
  readonly provider: Provider;
  readonly user: string;
  readonly password: string;
  /** Another one, with the same password and no mail yet. */
  readonly otherUser: string;
  stop(): Promise<void>;
}

/** What the account ids of the demo are made of, beside the login. */
export const demoProviderName = 'demo';

const user = 'robin@example.org';
const otherUser = 'sam@example.org';
/** No secret: the server listens on loopback only and holds nothing but invented mail. */
const password = 'postern';

/**
 * Starts a Dovecot of its own in the folder, with the sample mailbox in it, and a submission server that delivers there. What was done to the mailbox is kept from one
 * start to the next. `say` takes what is being done.
 */
export async function startDemoMailServer(folder: string, say: (line: string) => void): Promise<DemoMailServer> {
  await mkdir(folder, { recursive: true });
  const dovecot = await startDovecot({
    folder: path.join(folder, 'dovecot'),
    users: [user, otherUser].map((each) => ({ user: each, password })),
    durable: true,
    quota: { storageMegabytes: 1_024, messages: 100_000 },
    sieve: hasPigeonhole(),
  });
  const answers = startDemoAnswers(dovecot);
  let submission: DemoSubmission | null = null;
  const stop = async () => {
    await submission?.stop();
    await answers.stop();
    await dovecot.stop();
  };
  try {
    // Written when the mailbox is complete: an interrupted start begins anew.
    const mark = path.join(folder, 'sample-mailbox');
    const isComplete = (await readFile(mark, 'utf8').catch(() => '')) !== '';
    const { imapPort, sievePort, host } = dovecot;
    if (!isComplete || (await dovecot.doveadm('search', '-u', user, 'mailbox', '*', 'all')) === '') {
      say('Filling the sample mailbox');
      await dovecot.doveadm('expunge', '-u', user, 'mailbox', '*', 'all');
      const count = await fillSampleMailbox({ host, imapPort, user, password }, { seed: 1, now: new Date() });
      await writeFile(mark, `${count} messages for ${user}\n`);
    }
    submission = await startDemoSubmission(dovecot);
    const imap = { host, port: imapPort, tls: 'plaintext', ca: null } as const;
    const smtp = { ...imap, port: submission.port };
    const sieve = sievePort === null ? null : { ...imap, port: sievePort };
    return {
      provider: singleProvider(demoProviderName, { imap, smtp, sieve }),
      user,
      password,
      otherUser,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
