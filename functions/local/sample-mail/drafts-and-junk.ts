import type { Letter, Person } from './letter.ts';
import { filePart, multipart, textPart } from './mime.ts';
import { people } from './people.ts';
import type { World } from './world.ts';

/** What the owner has begun: one without recipient, one without subject, one that answers, one with a file. */
export function draftLetters(world: World): Letter[] {
  const { owner } = world;
  const draft = (daysAgo: number, letter: Pick<Letter, 'to' | 'subject' | 'content'>): Letter => ({
    mailbox: ['Drafts'],
    flags: ['\\Draft', '\\Seen'],
    date: world.daysAgo(daysAgo),
    from: owner,
    messageId: world.messageId(owner),
    ...letter,
  });
  return [
    draft(16, {
      to: [],
      subject: 'Speech for the opening',
      content: textPart('Dear neighbours, dear friends,\n\nwhen we first stood in this room, it rained in.\n\n(…)\n'),
    }),
    draft(8, { to: [people.philippa], subject: '', content: textPart('Dear Philippa,\n\nthe train gets in at') }),
    draft(3, {
      to: [people.tomas, people.zoe],
      subject: 'Re: Heating',
      content: textPart('I think we should ask a second'),
    }),
    draft(1, {
      to: [people.halvard],
      subject: 'Packing list',
      content: multipart('mixed', [
        textPart('<p>Here it is. <b>Socks!</b></p>\n', { subtype: 'html' }),
        filePart({ type: 'text/plain', name: 'packing list.txt', bytes: Buffer.from('stove\ncoffee\nSOCKS\n') }),
      ]),
    }),
  ];
}

/** Unwanted mail in Junk, and what was thrown away in Trash. */
export function junkAndTrashLetters(world: World): Letter[] {
  const { random, owner } = world;
  const junk = Array.from({ length: 14 }, (_, index): Letter => {
    const [name, subject, text] = junkTexts[index % junkTexts.length] ?? junkTexts[0];
    const from: Person = { name, email: `${random.hex(6)}@offers.example.net`, zoneMinutes: -480 };
    return {
      mailbox: ['Junk'],
      flags: [
        ...(random.chance(0.5) ? ['\\Seen'] : []),
        '$Junk',
        ...(name === 'Account Security' ? ['$Phishing'] : []),
      ],
      date: world.daysAgo(index * 2 + 1),
      from,
      to: [owner],
      subject,
      messageId: world.messageId(from),
      content: textPart(`<html><body><center><h1>${subject}</h1>${text}</center></body></html>`, {
        subtype: 'html',
        encoding: 'base64',
      }),
    };
  });
  const trash = Array.from({ length: 9 }, (_, index): Letter => {
    const from = random.pick([people.tomas, people.zoe, people.priya]);
    return {
      mailbox: ['Trash'],
      flags: ['\\Seen'],
      date: world.daysAgo(index * 3 + 2),
      from,
      to: [owner],
      subject: random.pick([
        'Cake in the kitchen',
        'Lift is out of order',
        'Found: one glove, left',
        'Window open in room 12',
      ]),
      messageId: world.messageId(from),
      content: textPart('See the subject.\n', { charset: 'us-ascii', encoding: '7bit' }),
    };
  });
  return [...junk, ...trash];
}

const junkTexts = [
  [
    'Account Security',
    'Your mailbox is almost full, act now',
    '<a href="https://offers.example.net/login">Confirm your password</a>',
  ],
  ['BEST WATCHES', '90% off, only today!!!', '<p>Swiss quality, almost.</p>'],
  ['Prize Office', 'You have won a garden shed', '<p>Send us a small fee, and it is yours.</p>'],
  ['Dr. Slim', 'Lose weight while you sleep', '<p>One pill. Or two.</p>'],
] as const;
