import type { Letter, Person } from './letter.ts';
import { multipart, rawPart, textPart } from './mime.ts';
import { people } from './people.ts';
import type { World } from './world.ts';

/** Invitations to meetings (RFC 6047), one cancelled again, and an answer from somebody whom the owner invited. */
export function invitationLetters(world: World): Letter[] {
  const { owner, random } = world;
  return meetings
    .flatMap(({ title, place, organizer, inDays, repeats, cancelled }, index) => {
      const uid = `${random.hex(16)}@example.com`;
      const start = wholeHour(world, inDays, 9 + index);
      const event = { uid, title, place, organizer, attendee: owner, start, repeats };
      const sent = Math.max(1, 9 - inDays);
      const invitation = letter(world, {
        event,
        method: 'REQUEST',
        from: organizer,
        daysAgo: sent,
        mailbox: ['INBOX'],
      });
      if (!cancelled) return [invitation];
      return [
        invitation,
        letter(world, { event, method: 'CANCEL', from: organizer, daysAgo: sent - 1, mailbox: ['INBOX'] }),
      ];
    })
    .concat(answerOfMira(world));
}

function answerOfMira(world: World): Letter[] {
  const event = {
    uid: `${world.random.hex(16)}@example.org`,
    title: 'Walk through the reading room',
    place: 'At the front door',
    organizer: world.owner,
    attendee: people.mira,
    start: wholeHour(world, 6, 15),
    repeats: undefined,
  };
  const mailbox = ['INBOX'];
  return [
    letter(world, { event, method: 'REQUEST', from: world.owner, daysAgo: 4, mailbox: ['Sent'] }),
    letter(world, { event, method: 'REPLY', from: people.mira, daysAgo: 3, mailbox }),
  ];
}

interface Event {
  readonly uid: string;
  readonly title: string;
  readonly place: string;
  readonly organizer: Person;
  readonly attendee: Person;
  readonly start: Date;
  readonly repeats: string | undefined;
}

interface Scheduling {
  readonly event: Event;
  readonly method: 'REQUEST' | 'REPLY' | 'CANCEL';
  readonly from: Person;
  readonly daysAgo: number;
  readonly mailbox: readonly string[];
}

const verbs = { REQUEST: 'Invitation', REPLY: 'Accepted', CANCEL: 'Cancelled' } as const;

function letter(world: World, { event, method, from, daysAgo, mailbox }: Scheduling): Letter {
  const date = world.daysAgo(daysAgo);
  const subject = `${verbs[method]}: ${event.title}`;
  const day = event.start.toUTCString().slice(0, 22);
  const text = `${subject}\n\n${event.title}\n${day} UTC\n${event.place}\n`;
  const calendar = calendarText(event, method, date);
  const { organizer, attendee } = event;
  return {
    mailbox,
    flags: mailbox[0] === 'Sent' || world.random.chance(0.6) ? ['\\Seen'] : [],
    date,
    from,
    to: [from === organizer ? attendee : organizer],
    subject,
    messageId: world.messageId(from),
    content: multipart('mixed', [
      multipart('alternative', [
        textPart(text),
        textPart(`<html><body><h2>${subject}</h2><p>${day} UTC<br>${event.place}</p></body></html>\n`, {
          subtype: 'html',
        }),
        textPart(calendar, { subtype: 'calendar', parameters: { method } }),
      ]),
      rawPart('application/ics; name="invite.ics"', calendar, [
        ['Content-Disposition', 'attachment; filename="invite.ics"'],
      ]),
    ]),
  };
}

function calendarText(
  { uid, title, place, organizer, attendee, start, repeats }: Event,
  method: string,
  stamp: Date,
): string {
  const status = method === 'CANCEL' ? 'CANCELLED' : 'CONFIRMED';
  const answer = method === 'REPLY' ? 'ACCEPTED' : 'NEEDS-ACTION;RSVP=TRUE';
  const lines = [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Example//Calendar//EN', `METHOD:${method}`, 'BEGIN:VEVENT'],
    ...[`UID:${uid}`, `SEQUENCE:${method === 'CANCEL' ? 1 : 0}`, `STATUS:${status}`, `DTSTAMP:${utc(stamp)}`],
    ...[`DTSTART:${utc(start)}`, `DTEND:${utc(new Date(start.getTime() + 3_600_000))}`],
    ...(repeats === undefined ? [] : [`RRULE:${repeats}`]),
    ...[`SUMMARY:${title}`, `LOCATION:${place.replaceAll(',', '\\,')}`],
    `ORGANIZER;CN="${organizer.name}":mailto:${organizer.email}`,
    `ATTENDEE;CN="${attendee.name}";PARTSTAT=${answer}:`,
    ` mailto:${attendee.email}`,
    ...['END:VEVENT', 'END:VCALENDAR', ''],
  ];
  return lines.join('\n');
}

const utc = (date: Date): string => `${date.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;

function wholeHour({ now }: World, inDays: number, hour: number): Date {
  return new Date((Math.floor(now.getTime() / 86_400_000) + inDays) * 86_400_000 + hour * 3_600_000);
}

const meetings = [
  {
    title: 'Apollo, weekly',
    place: 'The blue room',
    organizer: people.zoe,
    inDays: 2,
    repeats: 'FREQ=WEEKLY;COUNT=12',
  },
  { title: 'Visit of the council', place: 'Reading room, ground floor', organizer: people.priya, inDays: 5 },
  {
    title: 'Harbour: handover of the office',
    place: 'Quay 4, gate',
    organizer: people.jonas,
    inDays: 8,
    cancelled: true,
  },
  { title: 'Jour fixe façade', place: 'Café Möwe', organizer: people.elif, inDays: -20 },
] as readonly {
  readonly title: string;
  readonly place: string;
  readonly organizer: Person;
  readonly inDays: number;
  readonly repeats?: string;
  readonly cancelled?: boolean;
}[];
