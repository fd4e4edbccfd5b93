import type { MessageToAppend } from '../append-messages.ts';
import { type Entity, encodedWords, entityBytes, type Field } from './mime.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Minutes east of UTC, for the Date field; default 60. */
  readonly zoneMinutes?: number;
}

/** The charset and encoding of encoded words in the header. */
export interface HeaderStyle {
  readonly charset: string;
  readonly encoding: 'B' | 'Q';
}

/** A message with its place in the mailbox, before it is bytes. */
export interface Letter {
  readonly mailbox: readonly string[];
  readonly flags: readonly string[];
  readonly date: Date;
  readonly from: Person;
  readonly to: readonly Person[];
  readonly cc?: readonly Person[];
  readonly subject: string;
  /** With angle brackets, as are those below. */
  readonly messageId: string;
  readonly inReplyTo?: string;
  readonly references?: readonly string[];
  /** Further fields, put before those of the content. */
  readonly fields?: readonly Field[];
  readonly headerStyle?: HeaderStyle;
  readonly content: Entity;
}

/** The letter as it lies in a mailbox: received ones have a trace field and arrive some seconds after they were written. */
export function toMessage(letter: Letter): MessageToAppend {
  const { mailbox, flags, date, content } = letter;
  const received = !['Sent', 'Drafts'].includes(mailbox[0] ?? '');
  const receivedAt = new Date(date.getTime() + (received ? 7_000 : 0));
  const trace: Field[] = received ? traceFields(letter, receivedAt) : [];
  const fields = [...trace, ...headerFields(letter), ...content.fields];
  return { mailbox, flags, receivedAt, raw: entityBytes({ fields, body: content.body }) };
}

function headerFields(letter: Letter): Field[] {
  const { charset, encoding } = letter.headerStyle ?? { charset: 'utf-8', encoding: 'Q' };
  const people = (list: readonly Person[]) => list.map((person) => mailbox(person, charset, encoding)).join(',\r\n ');
  const fields: Field[] = [
    ['Date', dateTime(letter.date, letter.from.zoneMinutes ?? 60)],
    ['From', people([letter.from])],
  ];
  if (letter.to.length > 0) fields.push(['To', people(letter.to)]);
  if (letter.cc && letter.cc.length > 0) fields.push(['Cc', people(letter.cc)]);
  fields.push(['Subject', encodedWords(letter.subject, charset, encoding)], ['Message-ID', letter.messageId]);
  if (letter.inReplyTo !== undefined) fields.push(['In-Reply-To', letter.inReplyTo]);
  if (letter.references && letter.references.length > 0) fields.push(['References', letter.references.join('\r\n ')]);
  return [...fields, ...(letter.fields ?? []), ['MIME-Version', '1.0']];
}

function traceFields({ from, to, messageId }: Letter, receivedAt: Date): Field[] {
  const domain = from.email.split('@')[1] ?? 'example.net';
  const id = messageId.replace(/[^a-z0-9]/gi, '').slice(0, 12);
  const host = `mail.${domain}`;
  return [
    ['Return-Path', `<${from.email}>`],
    [
      'Received',
      `from ${host} (${host} [192.0.2.25])\r\n by mx.example.org with ESMTPS id ${id}\r\n for <${to[0]?.email ?? ''}>; ${dateTime(receivedAt, 0)}`,
    ],
  ];
}

function mailbox({ name, email }: Person, charset: string, encoding: 'B' | 'Q'): string {
  if (name === '') return email;
  if (!/^[\x20-\x7e]*$/.test(name)) return `${encodedWords(name, charset, encoding)} <${email}>`;
  return /^[\w ]+$/.test(name) ? `${name} <${email}>` : `"${name.replace(/["\\]/g, '\\$&')}" <${email}>`;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 5322 §3.3 in the zone of the writer. */
export function dateTime(date: Date, zoneMinutes: number): string {
  const local = new Date(date.getTime() + zoneMinutes * 60_000);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${days[local.getUTCDay()]}, ${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  const zone = Math.abs(zoneMinutes);
  return `${day} ${time} ${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(zone / 60))}${two(zone % 60)}`;
}
