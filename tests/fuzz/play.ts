import type { JsonValue } from '../../shared/jmap/scalars.ts';
import { contentOfMessage } from '../in-memory/mail.ts';
import { type InMemoryServer, inMemoryServer, smallLimits } from '../in-memory/server.ts';
import type { Act, Case, Step } from './cases.ts';
import { type Known, nothingKnown } from './known.ts';
import { broken, expectAnswered } from './laws.ts';

/** A request that takes longer than this does not come to an end. */
const hangsAfterMs = 30_000;

/** Plays a case on a server of its own, and throws when a law is broken. `tell` is told of every request as it was sent. */
export async function play(
  { server: options, messages, rounds }: Case,
  tell: (said: string) => void = () => {},
): Promise<void> {
  const server = inMemoryServer(options);
  const known = nothingKnown();
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  try {
    server.mail.create('INBOX');
    for (const message of messages) perform(server, { kind: 'deliver', mailbox: 0, message, flags: [] });
    known.add('accountId', server.accountId);
    for (const body of firstLook) await take(server, known, { kind: 'api', body }, tell);
    for (const { acts, step } of rounds) {
      for (const act of acts) perform(server, act);
      server.advanceClock(2_000);
      await take(server, known, step, tell);
    }
    // Unhandled rejections are told of when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  if (unhandled.length > 0)
    broken('every rejection is handled', String(unhandled[0] instanceof Error ? unhandled[0].stack : unhandled[0]));
}

const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'];
const everyProperty = [
  'bodyStructure',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
  'headers',
  'preview',
  'hasAttachment',
];
const everyHeader = [
  'from',
  'sentAt',
  'references',
  'subject',
  'header:To:asGroupedAddresses:all',
  'header:List-Post:asURLs',
];

/** Reads all there is to be known of the account, and everything that can be told of each message. */
const firstLook: readonly string[] = [
  [
    ['Mailbox/get', { accountId: '‹accountId 0›' }, 'a'],
    ['Email/query', { accountId: '‹accountId 0›', calculateTotal: true }, 'b'],
    [
      'Email/get',
      {
        ...{ accountId: '‹accountId 0›', ids: null, fetchAllBodyValues: true },
        properties: ['id', 'blobId', 'threadId', 'mailboxIds', 'keywords', 'size', ...everyProperty, ...everyHeader],
      },
      'c',
    ],
  ],
].map((methodCalls) => JSON.stringify({ using, methodCalls }));

async function take(server: InMemoryServer, known: Known, step: Step, tell: (said: string) => void): Promise<void> {
  const ask = async (path: string, init: RequestInit = {}) => {
    tell(`${init.method ?? 'GET'} ${path}\n${typeof init.body === 'string' ? init.body : ''}`);
    const response = await inTime(server.ask(path, init));
    const octets = Buffer.from(await inTime(response.arrayBuffer()));
    if (response.status >= 500) broken('no answer is 5xx', response.status, ...server.defects);
    if (server.defects.length > 0) broken('nothing is our fault', ...server.defects);
    return { status: response.status, headers: response.headers, octets, text: octets.toString() };
  };
  switch (step.kind) {
    case 'api': {
      const body = known.resolve(step.body);
      const answer = await ask('/jmap/api', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      known.learn(expectAnswered(body, answer, smallLimits));
      return;
    }
    case 'download': {
      const segments = [server.accountId, known.resolve(step.blobId), step.name].map(encodeURIComponent);
      const range: Record<string, string> = step.range === '' ? {} : { Range: step.range };
      const { status, headers, octets } = await ask(`/jmap/download/${segments.join('/')}${step.query}`, {
        headers: range,
      });
      const length = headers.get('Content-Length');
      if (status < 400 && length !== null && Number(length) !== octets.byteLength) {
        broken('a download is as long as it says', { length, octets: octets.byteLength });
      }
      return;
    }
    case 'upload': {
      const body = Buffer.from(step.file, 'latin1');
      const { status, text } = await ask(`/jmap/upload/${server.accountId}/`, { method: 'POST', body });
      const { blobId, size } = JSON.parse(text) as { blobId: string; size: JsonValue };
      if (status !== 200 || size !== body.byteLength) broken('a file is taken as it is', status, text);
      known.add('blobId', blobId);
    }
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It does not hold that every request comes to an end')), hangsAfterMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What cannot be done, because there is nothing to do it with, is not done. */
function perform({ mail }: InMemoryServer, act: Act): void {
  const names = mail.names();
  const nameAt = (n: number) => names[n % names.length] ?? 'INBOX';
  const uidAt = (name: string, n: number) => {
    const messages = mail.messages(name);
    return messages[n % messages.length]?.uid ?? 0;
  };
  // RFC 9051 §5.1: INBOX is one mailbox, in whatever capitals.
  const isTaken = (name: string) => names.includes(name) || name.toUpperCase() === 'INBOX';
  if (act.kind === 'create') {
    if (!isTaken(act.name)) mail.create(act.name);
    return;
  }
  const name = nameAt(act.mailbox);
  switch (act.kind) {
    case 'deliver':
      mail.append(name, contentOfMessage(act.message), { flags: act.flags, internalDate: 1_767_225_600 });
      return;
    case 'rename':
      if (name !== 'INBOX' && !isTaken(act.name)) mail.rename(name, act.name);
      return;
    case 'remove':
      if (name !== 'INBOX') mail.remove(name);
      return;
    case 'renew':
      mail.resetUidValidity(name);
      return;
  }
  const uid = uidAt(name, act.message);
  if (uid === 0) return;
  switch (act.kind) {
    case 'flag':
      mail.setFlags(name, uid, act.flags);
      return;
    case 'expunge':
      mail.expunge(name, uid);
      return;
    case 'copy':
      mail.copy(name, uid, nameAt(act.to));
      return;
    case 'move':
      mail.move(name, uid, nameAt(act.to));
  }
}
