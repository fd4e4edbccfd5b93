import type { MessageToAppend } from '../append-messages.ts';
import { dateTime } from './letter.ts';
import { seededRandom } from './random.ts';

export interface BulkOptions {
  readonly mailbox: readonly string[];
  readonly count: number;
  /** The same options give the same octets. */
  readonly seed: number;
  /** The newest message is one step older; the oldest five years. */
  readonly now: Date;
}

const spanMs = 5 * 365 * 86_400_000;
/** How many messages back an answer may reach. */
const answerReach = 200;
const referencesMax = 12;

/**
 * Many small messages (1 to 3 KB), one after the other, for measuring: 300 writers; half of the messages are answers, so
 * that threads have from one to a few dozen messages; a third has HTML too, one in twenty a file; one in ten is unread.
 * Fast enough not to be what is measured: about 100,000 in two seconds.
 */
export function* bulkMessages({ mailbox, count, seed, now }: BulkOptions): Generator<MessageToAppend> {
  const random = seededRandom(seed);
  const recent: { id: string; references: readonly string[]; subject: string }[] = [];
  const step = spanMs / count;
  for (let index = 0; index < count; index++) {
    const receivedAt = new Date(now.getTime() - Math.round((count - index) * step));
    const writer = random.below(300);
    const answered = random.chance(0.5) ? recent[random.below(recent.length)] : undefined;
    const id = `<${index}.${seed}.${writer}@example.net>`;
    const subject = answered?.subject ?? `${random.pick(openings)} ${random.pick(subjects)} ${index}`;
    const references = answered ? [...answered.references, answered.id].slice(-referencesMax) : [];
    const header = [
      `Received: from mail.example.net (mail.example.net [192.0.2.25]) by mx.example.org; ${dateTime(receivedAt, 0)}`,
      `Date: ${dateTime(receivedAt, 60)}`,
      `From: Writer ${writer} <writer${writer}@example.net>`,
      'To: Robin Calder <robin@example.org>',
      `Subject: ${answered ? 'Re: ' : ''}${subject}`,
      `Message-ID: ${id}`,
      ...(answered ? [`In-Reply-To: ${answered.id}`, `References: ${references.join('\r\n ')}`] : []),
      'MIME-Version: 1.0',
    ].join('\r\n');
    const paragraphs = Array.from({ length: random.between(4, 18) }, () => random.pick(sentences)).join('\r\n');
    const flags = random.chance(0.9) ? ['\\Seen'] : [];
    yield { mailbox, flags, receivedAt, raw: Buffer.from(`${header}\r\n${content(paragraphs, random.below(20))}`) };
    recent[index % answerReach] = { id, references, subject };
  }
}

/** By a number from 0 to 19: 0 with a file, up to 6 with HTML, the rest plain. */
function content(text: string, kind: number): string {
  if (kind === 0) return `${multipart('mixed', [plain(text), file])}\r\n`;
  if (kind <= 6) return `${multipart('alternative', [plain(text), plain(`<p>${text}</p>`, 'html')])}\r\n`;
  return plain(text);
}

const plain = (text: string, subtype = 'plain'): string =>
  `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}\r\n`;

const file = `Content-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${'JVBERi0xLjQK'.repeat(6)}\r\n`;

const multipart = (subtype: string, parts: readonly string[]): string =>
  `Content-Type: multipart/${subtype}; boundary=part\r\n\r\n${parts.map((part) => `--part\r\n${part}\r\n`).join('')}--part--`;

const openings = ['About', 'Question on', 'Offer for', 'News of', 'Plan for', 'Minutes of'];
const subjects = ['the reading room', 'the harbour', 'the garden', 'the timetable', 'the accounts', 'the new lamps'];
const sentences = [
  'Thank you for the quick answer, that helps a lot.',
  'The delivery has been put off until Thursday, because the lorry broke down on the pass.',
  'I have attached nothing this time; everything is in the text.',
  'Could you have a look at the numbers in the second column?',
  'We meet at nine in the blue room, coffee is there.',
  'It rained all week, and the paint on the gate is still wet.',
  'Größe und Farbe sind noch offen, bitte gib bis Freitag Bescheid.',
  'The council has agreed, with one vote against and a long speech.',
];
