import { dateTime, type Letter, type Person } from './letter.ts';
import { type Entity, multipart, textPart } from './mime.ts';
import { type PersonName, people } from './people.ts';
import { seenFlags, type World } from './world.ts';

export interface Turn {
  readonly who: PersonName;
  readonly text: string;
  /** Files go to the end of the message. */
  readonly files?: readonly Entity[];
  readonly flags?: readonly string[];
}

export interface Conversation {
  readonly subject: string;
  /** Where what others wrote is kept; what the owner wrote is in Sent. */
  readonly mailbox: readonly string[];
  readonly startsDaysAgo: number;
  /** The most time between one message and the next. */
  readonly pauseHoursMax: number;
  /** Who gets every message. */
  readonly circle: readonly PersonName[];
  readonly turns: readonly Turn[];
}

/**
 * The letters of a conversation, oldest first. Each answers one of the last messages that somebody else wrote, quotes
 * it, and has it and its references in References (RFC 5322 §3.6.4). What would be in the future is not written.
 */
export function conversationLetters(world: World, conversation: Conversation): Letter[] {
  const { random, owner, now } = world;
  const circle = new Set<Person>(conversation.circle.map((name) => person(world, name)).concat(owner));
  const letters: Letter[] = [];
  const texts = new Map<Letter, string>();
  let date = world.daysAgo(conversation.startsDaysAgo);
  for (const { who, text, files = [], flags = [] } of conversation.turns) {
    const from = person(world, who);
    const parent = (random.chance(0.2) ? letters.at(-2) : undefined) ?? letters.at(-1);
    if (letters.length > 0) date = later(date, random.between(6, conversation.pauseHoursMax * 60), random.below(60));
    if (date >= now) break;
    const mine = from === owner;
    if (parent && mine) addFlag(letters, texts, parent, '\\Answered');
    const to = [...circle].filter((member) => member !== from);
    const body = `${text}\n\n${firstName(from)}`;
    const answered = letters.find((letter) => letter.messageId === parent?.messageId);
    const letter: Letter = {
      mailbox: mine ? ['Sent'] : conversation.mailbox,
      flags: [...(mine ? ['\\Seen'] : seenFlags(world, date)), ...flags],
      date,
      from,
      to: to.slice(0, 1),
      cc: to.slice(1),
      subject: answered ? `Re: ${conversation.subject}` : conversation.subject,
      messageId: world.messageId(from),
      ...(answered && {
        inReplyTo: answered.messageId,
        references: [...(answered.references ?? []), answered.messageId],
      }),
      content: withFiles(
        bodyPart(world, body, answered && { letter: answered, text: texts.get(answered) ?? '' }),
        files,
      ),
    };
    letters.push(letter);
    texts.set(letter, body);
  }
  return letters;
}

function person(world: World, name: PersonName): Person {
  return name === 'owner' ? world.owner : people[name];
}

/** Letters do not change; the one with the flag takes the place of the other. */
function addFlag(letters: Letter[], texts: Map<Letter, string>, letter: Letter, flag: string): void {
  if (letter.mailbox[0] === 'Sent') return;
  const flagged = { ...letter, flags: [...new Set(['\\Seen', ...letter.flags, flag])] };
  letters[letters.indexOf(letter)] = flagged;
  texts.set(flagged, texts.get(letter) ?? '');
}

function later(date: Date, minutes: number, seconds: number): Date {
  return new Date(date.getTime() + minutes * 60_000 + seconds * 1_000);
}

const firstName = ({ name }: Person): string => (name.includes(',') ? 'Ngozi' : (name.split(' ')[0] ?? name));

interface Quoted {
  readonly letter: Letter;
  readonly text: string;
}

/** Half of the people write plain text, a quarter of it flowed; the others HTML with a plain alternative. */
function bodyPart({ random }: World, text: string, quoted: Quoted | undefined): Entity {
  const attribution =
    quoted && `On ${dateTime(quoted.letter.date, 60).slice(0, -15)}, ${quoted.letter.from.name} wrote:`;
  const quote = quoted?.text.replace(/^/gm, '> ').replace(/^> $/gm, '>');
  const plain = quoted ? `${text}\n\n${attribution}\n${quote}\n` : `${text}\n`;
  if (random.chance(0.25)) return textPart(plain, { parameters: { format: 'flowed' } });
  if (random.chance(0.4)) return textPart(plain);
  const html = `<html><body><div>${htmlText(text)}</div>${
    quoted
      ? `<br><div class="quote">${htmlText(attribution ?? '')}<blockquote>${htmlText(quoted.text)}</blockquote></div>`
      : ''
  }</body></html>\n`;
  return multipart('alternative', [textPart(plain), textPart(html, { subtype: 'html' })]);
}

export function htmlText(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<p>${escaped.replaceAll('\n\n', '</p>\n<p>').replace(/(?<!>)\n/g, '<br>\n')}</p>`;
}

export function withFiles(body: Entity, files: readonly Entity[]): Entity {
  return files.length === 0 ? body : multipart('mixed', [body, ...files]);
}
