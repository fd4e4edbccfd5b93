import { beforeAll, describe, expect, test } from '@jest/globals';
import type { MessageToAppend } from '../../functions/local/append-messages.ts';
import { sampleMailbox } from '../../functions/local/sample-mail/sample-mailbox.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

const now = new Date('2026-03-03T10:20:30Z');
const sample = sampleMailbox({ seed: 1, now });
const messages: (MessageToAppend & ReadMessage)[] = [];

beforeAll(async () => {
  for (const message of sample) messages.push({ ...message, ...(await readMessage(message.raw)) });
});

const path = ({ mailbox }: MessageToAppend) => mailbox.join('/');
const idsIn = (text = '') => text.match(/<[^>]+>/g) ?? [];
const having = (type: string) => messages.filter(({ types }) => types.includes(type));

test('the same seed and time give the same octets, another seed others', () => {
  const octets = (seed: number) => Buffer.concat(sampleMailbox({ seed, now }).map(({ raw }) => raw));
  expect(octets(1).equals(octets(1))).toBe(true);
  expect(octets(1).equals(octets(2))).toBe(false);
});

describe('as a whole', () => {
  test('there are several hundred messages over more than a year, none from the future', () => {
    expect(messages.length).toBeGreaterThan(400);
    expect(messages.length).toBeLessThan(1_000);
    const times = messages.map(({ receivedAt }) => receivedAt.getTime());
    expect(Math.max(...times)).toBeLessThanOrEqual(now.getTime());
    expect(now.getTime() - Math.max(...times)).toBeLessThan(3 * 3_600_000);
    expect(now.getTime() - Math.min(...times)).toBeGreaterThan(365 * 86_400_000);
  });

  test('nested mailboxes and those with names in other scripts have mail', () => {
    const paths = new Set(messages.map(path));
    const nested = ['Projects/Apollo/Design', 'Projects/Harbour', 'Family/Großeltern', 'Penpals/世界の友だち'];
    for (const name of ['INBOX', 'Sent', 'Drafts', 'Junk', 'Trash', 'Archive', ...nested])
      expect(paths).toContain(name);
    expect(messages.filter((message) => path(message) === 'INBOX').length).toBeGreaterThan(100);
  });

  test('within a mailbox messages come in the order of their arrival', () => {
    for (const [index, message] of messages.slice(1).entries()) {
      const previous = messages[index];
      if (!previous || path(previous) !== path(message)) continue;
      expect(message.receivedAt.getTime()).toBeGreaterThanOrEqual(previous.receivedAt.getTime());
    }
  });

  test.each([
    ['\\Seen', 300],
    ['\\Answered', 40],
    ['\\Flagged', 5],
    ['\\Draft', 4],
    ['$Forwarded', 2],
    ['$Junk', 10],
  ])('the flag %s is on at least %i messages, and not on all', (flag, least) => {
    const flagged = messages.filter(({ flags }) => flags.includes(flag)).length;
    expect(flagged).toBeGreaterThanOrEqual(least);
    expect(flagged).toBeLessThan(messages.length);
  });

  test('a flag is on a message once', () => {
    for (const { flags } of messages) expect(new Set(flags).size).toBe(flags.length);
  });
});

describe('each message', () => {
  test('has CRLF line ends only, lines of at most 998 octets, and ASCII in its header', () => {
    for (const { raw } of messages) {
      const text = raw.toString('latin1');
      expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
      expect(text.slice(0, text.indexOf('\r\n\r\n'))).toMatch(/^[\x20-\x7e\r\n]*$/);
    }
  });

  test('has one Date, From, Subject and Message-ID, and the Message-ID is its own', () => {
    for (const { values } of messages) {
      for (const field of ['Date', 'From', 'Subject', 'Message-ID']) expect(values(field)).toHaveLength(1);
    }
    expect(new Set(messages.map(({ values }) => values('Message-ID')[0])).size).toBe(messages.length);
  });

  test('was written at most some seconds before it arrived', () => {
    for (const { values, receivedAt } of messages) {
      const age = receivedAt.getTime() - Date.parse(values('Date')[0] ?? '');
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThan(10_000);
    }
  });

  test('is whole: every multipart has parts and every part is a file or text that can be read', () => {
    for (const { types, leaves } of messages) {
      expect(leaves.length).toBeGreaterThanOrEqual(types.some((type) => type.startsWith('multipart/')) ? 2 : 1);
      for (const { type, charset, bytes } of leaves) {
        if (type === 'text/plain' && charset) {
          expect(() => new TextDecoder(charset, { fatal: true }).decode(bytes)).not.toThrow();
        }
        expect(bytes.length).toBeGreaterThan(0);
      }
    }
  });
});

describe('threads', () => {
  test('References are the references and the Message-ID of the message that is answered, which was written before', () => {
    const byId = new Map(messages.map((message) => [message.values('Message-ID')[0], message]));
    const answers = messages.filter(({ values }) => values('In-Reply-To').length > 0);
    expect(answers.length).toBeGreaterThan(150);
    for (const answer of answers) {
      const [parentId = ''] = idsIn(answer.values('In-Reply-To')[0]);
      const parent = byId.get(parentId);
      expect(parent).toBeDefined();
      expect(idsIn(answer.values('References')[0])).toEqual([...idsIn(parent?.values('References')[0]), parentId]);
      expect(answer.receivedAt.getTime()).toBeGreaterThan(parent?.receivedAt.getTime() ?? 0);
    }
  });

  test('one has more than thirty messages', () => {
    const roots = messages.map(({ values }) => idsIn(values('References')[0])[0] ?? values('Message-ID')[0]);
    const sizes = new Map<string | undefined, number>();
    for (const root of roots) sizes.set(root, (sizes.get(root) ?? 0) + 1);
    expect(Math.max(...sizes.values())).toBeGreaterThan(30);
  });
});

describe('what mail can contain', () => {
  test.each([
    ['multipart/alternative', 100],
    ['multipart/related', 50],
    ['application/pdf', 15],
    ['application/zip', 1],
    ['image/png', 50],
    ['text/csv', 3],
    ['text/calendar', 5],
    ['multipart/signed', 2],
    ['application/pgp-signature', 1],
    ['application/pkcs7-signature', 1],
    ['multipart/encrypted', 1],
    ['application/pkcs7-mime', 1],
    ['multipart/report', 3],
    ['message/delivery-status', 3],
    ['message/rfc822', 2],
  ])('%s is in at least %i messages', (type, least) => {
    expect(having(type).length).toBeGreaterThanOrEqual(least);
  });

  test.each([
    ['iso-2022-jp', '写真をありがとう', '窓ぎわの長い机'],
    ['koi8-r', 'Рецепт пирога с яблоками', 'немного терпения'],
    ['windows-1251', 'Снимки от планината', 'вятърът на билото'],
    ['gb18030', '关于图书捐赠的问题', '三箱中文图书'],
    ['big5', '明信片收到了', '山上的照片真美'],
    ['euc-kr', '다음 주 온라인 모임', '수요일 저녁'],
    ['iso-8859-7', 'Τα εισιτήρια για το θέατρο', 'τέσσερα εισιτήρια'],
    ['iso-8859-8', 'המתכון שביקשת', 'של סבתא'],
    ['windows-1252', 'Köp av gräsklippare – är den såld?', 'anslagstavlan'],
    ['utf-8', 'موعد القراءة يوم الخميس', 'القصص القصيرة'],
    ['utf-8', 'बच्चों के कोने के लिए किताबें', 'बीस किताबें'],
    ['utf-8', 'ขอบคุณสำหรับโปสการ์ด', 'ข้างหน้าต่าง'],
    ['utf-8', 'Sách cho phòng đọc 📚', '🎉'],
  ])('a message in %s has the subject "%s" and says "%s"', (charset, subject, words) => {
    const message = messages.find(({ values }) => values('Subject')[0] === subject);
    const body = message?.leaves[0];
    expect(body?.charset).toBe(charset);
    expect(new TextDecoder(charset).decode(body?.bytes)).toContain(words);
  });

  test('inline pictures are shown by the HTML next to them', () => {
    for (const { raw } of having('multipart/related')) {
      const text = raw.toString('latin1').replace(/=\r\n/g, '');
      const [, shown = ''] = /src=3D"cid:([^"]+)"/.exec(text) ?? [];
      expect(text).toContain(`Content-ID: <${shown}>`);
    }
  });

  test('files keep names with spaces and in other scripts', () => {
    const names = messages.flatMap(({ leaves }) => leaves.map(({ filename }) => filename));
    const expected = ['Reading room, round 2.pdf', 'Schlüsselübergabe Hafen.pdf', '集まりの予定.txt', 'قصص.txt'];
    expect(names).toEqual(expect.arrayContaining(expected));
  });

  test('newsletters can be unsubscribed from', () => {
    const newsletters = messages.filter((message) => path(message) === 'Newsletters');
    expect(newsletters.length).toBeGreaterThan(50);
    for (const { values } of newsletters) {
      expect(values('List-Unsubscribe')[0]).toMatch(/^<https:.*>, <mailto:/);
      expect(values('List-Id')[0]).toMatch(/<[\w.]+>$/);
    }
  });

  test('invitations say the same method in the content type and in the calendar', () => {
    const methods = having('text/calendar').map(({ raw }) => {
      const text = raw.toString('latin1');
      const [, inType] = /text\/calendar;\r\n charset=utf-8;\r\n method=(\w+)/.exec(text) ?? [];
      expect(text).toContain(`METHOD:${inType}`);
      return inType;
    });
    expect(new Set(methods)).toEqual(new Set(['REQUEST', 'REPLY', 'CANCEL']));
  });
});
