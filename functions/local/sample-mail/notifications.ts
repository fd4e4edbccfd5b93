import { pdfFile, pngFile } from './files.ts';
import { type Letter, type Person, toMessage } from './letter.ts';
import { filePart, multipart, rawPart, textPart } from './mime.ts';
import { seenFlags, type World } from './world.ts';

const shop: Person = { name: 'Lantern & Co.', email: 'orders@shop.example.com', zoneMinutes: 0 };
const daemon: Person = { name: 'Mail Delivery System', email: 'MAILER-DAEMON@mx.example.org', zoneMinutes: 0 };

/** Invoices as PDF with a picture in the HTML, month by month. */
export function orderLetters(world: World): Letter[] {
  const { random, owner } = world;
  return Array.from({ length: 18 }, (_, index) => {
    const daysAgo = (17 - index) * 22 + 3;
    const number = 4_200 + index * 37;
    const [article, price] = random.pick(articles);
    const amount = random.between(1, 4);
    const total = ((price * amount) / 100).toFixed(2);
    const contentId = `article.${random.hex(8)}@shop.example.com`;
    const picture = pngFile(96, 96, [random.below(256), random.below(256), random.below(256)], [250, 248, 240]);
    const text = `Thank you for your order ${number}.\n\n${amount} x ${article}\nTotal: EUR ${total}\n\nThe invoice is attached.\n`;
    const html = `<html><body><p>Thank you for your order <b>${number}</b>.</p><table><tr><td><img src="cid:${contentId}" alt="${article}"></td><td>${amount} × ${article}</td><td>€ ${total}</td></tr></table><p>The invoice is attached.</p></body></html>\n`;
    const date = world.daysAgo(daysAgo);
    return {
      mailbox: daysAgo < 60 ? ['INBOX'] : ['Archive', 'Invoices'],
      flags: seenFlags(world, date),
      date,
      from: shop,
      to: [owner],
      subject: `Your order ${number} and its invoice`,
      messageId: world.messageId(shop),
      fields: [['Auto-Submitted', 'auto-generated']] as const,
      content: multipart('mixed', [
        multipart('related', [
          multipart('alternative', [textPart(text), textPart(html, { subtype: 'html' })]),
          filePart({ type: 'image/png', name: 'article.png', bytes: picture, disposition: 'inline', contentId }),
        ]),
        filePart({
          type: 'application/pdf',
          name: `invoice-${number}.pdf`,
          bytes: pdfFile(`Invoice ${number}`, [
            `${amount} x ${article}`,
            `Total: EUR ${total}`,
            'Paid by card. Thank you!',
          ]),
          description: `Invoice for order ${number}`,
        }),
      ]),
    };
  });
}

/** What the owner sent came back: delivery status notifications (RFC 3464), one of them only a delay. */
export function deliveryStatusLetters(world: World): Letter[] {
  const { owner } = world;
  return failures.flatMap(({ address, action, status, diagnostic, daysAgo }) => {
    const original: Letter = {
      mailbox: ['Sent'],
      flags: ['\\Seen'],
      date: world.daysAgo(daysAgo + 1),
      from: owner,
      to: [{ name: '', email: address }],
      subject: 'Books for the reading room',
      messageId: world.messageId(owner),
      content: textPart('Do you still collect used books? We have some to give away.\n'),
    };
    const header = toMessage(original).raw.toString('latin1').split('\r\n\r\n')[0] ?? '';
    const failed = action === 'failed';
    const report: Letter = {
      mailbox: ['INBOX'],
      flags: ['\\Seen'],
      date: world.daysAgo(daysAgo),
      from: daemon,
      to: [owner],
      subject: failed ? 'Undelivered Mail Returned to Sender' : 'Delayed Mail (still being retried)',
      messageId: world.messageId(daemon),
      fields: [['Auto-Submitted', 'auto-replied']],
      content: multipart(
        'report',
        [
          textPart(`This is the mail system at mx.example.org.\n\n<${address}>: ${diagnostic}\n`, {
            charset: 'us-ascii',
            encoding: '7bit',
          }),
          rawPart(
            'message/delivery-status',
            `Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; ${address}\nAction: ${action}\nStatus: ${status}\nDiagnostic-Code: smtp; ${diagnostic}\n`,
          ),
          failed
            ? rawPart('message/rfc822', toMessage(original).raw)
            : rawPart('text/rfc822-headers', Buffer.from(`${header}\r\n`, 'latin1')),
        ],
        { 'report-type': 'delivery-status' },
      ),
    };
    return [original, report];
  });
}

const failures = [
  {
    address: 'library@closed.example.net',
    action: 'failed',
    status: '5.1.1',
    diagnostic: '550 5.1.1 No such user here',
    daysAgo: 81,
  },
  {
    address: 'archive@full.example.com',
    action: 'failed',
    status: '5.2.2',
    diagnostic: '552 5.2.2 Mailbox is full',
    daysAgo: 37,
  },
  {
    address: 'bookclub@slow.example.net',
    action: 'delayed',
    status: '4.4.1',
    diagnostic: '451 4.4.1 Connection timed out',
    daysAgo: 7,
  },
] as const;

const articles: readonly (readonly [name: string, cents: number])[] = [
  ['Reading lamp "Heron"', 5_900],
  ['Spare bulb, warm', 690],
  ['Linen cable, 2 m', 1_250],
  ['Candle, beeswax', 840],
  ['Shade, paper, white', 2_100],
];
