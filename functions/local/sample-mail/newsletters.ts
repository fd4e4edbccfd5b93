import { htmlText } from './conversation.ts';
import { pngFile } from './files.ts';
import type { Letter, Person } from './letter.ts';
import { type Entity, filePart, multipart, textPart } from './mime.ts';
import type { World } from './world.ts';

interface Newsletter {
  readonly from: Person;
  readonly listId: string;
  readonly everyDays: number;
  readonly issues: number;
  readonly title: (issue: number) => string;
  readonly items: readonly string[];
}

/** Mail for many, with the List-* fields of RFC 2369 and RFC 2919 and one-click unsubscription (RFC 8058). */
export function newsletterLetters(world: World): Letter[] {
  return newsletters.flatMap((newsletter) =>
    Array.from({ length: newsletter.issues }, (_, index) => {
      const daysAgo = (newsletter.issues - index - 1) * newsletter.everyDays + 1;
      return newsletterLetter(world, newsletter, index + 1, daysAgo);
    }),
  );
}

function newsletterLetter(world: World, newsletter: Newsletter, issue: number, daysAgo: number): Letter {
  const { random, owner } = world;
  const { from, listId } = newsletter;
  const items = [random.pick(newsletter.items), random.pick(newsletter.items), random.pick(newsletter.items)];
  const title = newsletter.title(issue);
  const messageId = world.messageId(from);
  return {
    mailbox: ['Newsletters'],
    flags: daysAgo > 20 || random.chance(0.3) ? ['\\Seen'] : [],
    date: world.daysAgo(daysAgo),
    from,
    to: [owner],
    subject: title,
    messageId,
    fields: [
      ['List-Id', `${from.name} <${listId}>`],
      ['List-Unsubscribe', `<https://${listId}/unsubscribe/${issue}>,\r\n <mailto:leave@${listId}?subject=leave>`],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
      ['List-Archive', `<https://${listId}/archive/>`],
      ['Precedence', 'bulk'],
    ],
    content: newsletterContent(title, [...new Set(items)], messageId.slice(1, 9)),
  };
}

/** multipart/alternative of plain text and multipart/related of HTML with its banner. */
function newsletterContent(title: string, items: readonly string[], id: string): Entity {
  const plain = `${title}\n\n${items.map((item) => `* ${item}`).join('\n\n')}\n\nYou get this because you asked for it.\n`;
  const contentId = `banner.${id}@example.net`;
  const html = `<!DOCTYPE html><html><head><style>body { font-family: serif; } li { margin: 1em 0; }</style></head><body>
<img src="cid:${contentId}" alt="" width="480" height="60"><h1>${title}</h1>
<ul>${items.map((item) => `<li>${htmlText(item)}</li>`).join('\n')}</ul><p><small>You get this because you asked for it.</small></p></body></html>\n`;
  const banner = pngFile(120, 15, [64, 96, 80], [210, 220, 190]);
  return multipart('alternative', [
    textPart(plain),
    multipart('related', [
      textPart(html, { subtype: 'html' }),
      filePart({ type: 'image/png', name: 'banner.png', bytes: banner, disposition: 'inline', contentId }),
    ]),
  ]);
}

const newsletters: readonly Newsletter[] = [
  {
    from: { name: 'The Slow Gardener', email: 'letter@garden.example.net' },
    listId: 'garden.example.net',
    everyDays: 7,
    issues: 42,
    title: (issue) => `The Slow Gardener, letter ${issue}`,
    items: [
      'Leave the seed heads standing until spring. The goldfinches will thank you, and so will the soil.',
      'A compost that smells of forest is ready. One that smells of cellar wants air.',
      'Beans go into the ground when the elder flowers, whatever the calendar says.',
      'Three kinds of mint in one pot is a battle, and the dullest one wins.',
      'Water once, deeply, in the morning. A little every evening only feeds the snails.',
      'This week’s question from a reader: may one plant potatoes in a bag? One may, if the bag has holes.',
    ],
  },
  {
    from: { name: 'Paper & Thread', email: 'hello@paper.example.com', zoneMinutes: -300 },
    listId: 'news.paper.example.com',
    everyDays: 30,
    issues: 13,
    title: (issue) => `Paper & Thread no. ${issue}: what we are binding`,
    items: [
      'The new linen has arrived in grey, moss and a blue that no photograph gets right.',
      'Our course on stitched bindings has two places left in the evening group.',
      'How to flatten a map that was folded for sixty years, in four steps and a day of patience.',
      'A bone folder lasts a lifetime, unless you lend it.',
    ],
  },
  {
    from: { name: 'Night Trains Weekly', email: 'timetable@trains.example.org' },
    listId: 'weekly.trains.example.org',
    everyDays: 14,
    issues: 22,
    title: (issue) => `Night Trains Weekly #${issue}`,
    items: [
      'The sleeping car to the coast is back from the workshop, with new lamps and the old curtains.',
      'Bookings for summer open four months ahead, at nine in the morning.',
      'A reader crossed five countries with one ticket and one sandwich. Her report is on our site.',
      'Works on the pass: from the 3rd to the 9th all trains take the valley line and arrive forty minutes later.',
    ],
  },
];
