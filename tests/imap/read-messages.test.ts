import { afterAll, describe, expect, test } from '@jest/globals';
import { TooMuchAtOnce } from '../../shared/catalog/source.ts';
import type { ImapServer } from '../../shared/imap/endpoint.ts';
import { imapLimits } from '../../shared/imap/limits.ts';
import { imapMessages } from '../../shared/imap/read-messages.ts';
import { parseMessage } from '../../shared/message/parse-message.ts';
import type { Part } from '../../shared/message/part.ts';
import type { Place } from '../../shared/methods/Email/mail.ts';
import { courier, cyrus, dovecot, type TestServer } from '../servers/servers.ts';
import { corpus } from './corpus.ts';
import { imapServer, message, oneSession, otherClient, passwordOf } from './rig.ts';
import { type Answer, scriptedServer } from './scripted-server.ts';

const open: { close(): void }[] = [];
afterAll(() => {
  for (const each of open) each.close();
});

async function account(
  start: () => Promise<TestServer>,
  options: Parameters<typeof imapServer>[1] = {},
  limits: Parameters<typeof imapMessages>[2] = imapLimits,
) {
  const running = await start();
  const user = await running.freshUser();
  const server: ImapServer = imapServer(running, options);
  const { use, session, commands } = await oneSession(server, passwordOf(user));
  const other = await otherClient(running, user);
  open.push(session, other);
  const held = { count: 0 };
  const hold = () => {
    let isHeld = true;
    held.count++;
    return () => {
      if (isHeld) held.count--;
      isHeld = false;
    };
  };
  const put = async (mailbox: string, ...texts: string[]): Promise<Place[]> => {
    const places: Place[] = [];
    for (const text of texts) {
      const appended = await other.append(mailbox, text);
      if (!appended) throw new Error('not appended');
      const status = await other.status(mailbox, { uidNext: true, uidValidity: true });
      if (!status) throw new Error('no status');
      places.push({ mailbox, uidValidity: Number(status.uidValidity), uid: Number(status.uidNext) - 1 });
    }
    return places;
  };
  return { messages: imapMessages(use, hold, limits), commands, other, put, held, session };
}

const needs = { headers: 'none', structure: false, preview: false } as const;
const textOf = (octets: Uint8Array | undefined) => octets && Buffer.from(octets).toString('latin1');

async function drain(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  return Buffer.concat(chunks);
}

const backends: [string, () => Promise<TestServer>, Parameters<typeof imapServer>[1]][] = [
  ['Dovecot', dovecot, {}],
  ['Dovecot without PREVIEW and LITERAL+', dovecot, { ignoring: ['PREVIEW', 'LITERAL+'] }],
  ['Cyrus', cyrus, {}],
  ['Courier', courier, {}],
];

describe.each(backends)('%s', (name, start, options) => {
  test('tells structure, fields and sections of every message as the message has them', async () => {
    const { messages, put } = await account(start, options);
    const entries = Object.entries(corpus);
    const exact = (octets: string) => (name === 'Courier' ? octets.trimEnd() : octets);
    const places = await put('INBOX', ...entries.map(([, text]) => text));
    const facts = await messages.read(places, { ...needs, structure: true, headers: 'all' });
    for (const [index, [what, text]] of entries.entries()) {
      // What stands where no header should be is a matter of taste among servers.
      if (what === 'no header at all' || (name === 'Courier' && what === 'a multipart that never closes')) continue;
      const fact = facts.get(places[index] as Place);
      const parsed = parseMessage(Buffer.from(text, 'latin1'));
      expect({ what, structure: fact?.structure && outline(fact.structure, name) }).toEqual({
        what,
        structure: outline(parsed, name),
      });
      expect(textOf(fact?.headers)).toBe(text.slice(0, text.indexOf('\r\n\r\n') + 4));
      const leaves = leavesOf(parsed);
      const requests = leaves.map((part) => ({ place: places[index] as Place, section: part.partId ?? '' }));
      const sections = await messages.readSections(requests);
      for (const [at, part] of leaves.entries()) {
        const request = requests[at];
        const range = part.range;
        expect({ what, section: exact(textOf(request && sections.get(request)) ?? '') }).toEqual({
          what,
          section: range && exact(text.slice(range.bodyStart, range.bodyEnd)),
        });
      }
    }
  });

  test('gives the asked fields, and only these', async () => {
    const { messages, put } = await account(start, options);
    const [place] = await put('INBOX', message('hello', { 'X-Odd"Name': 'a', 'X-Long': 'a\r\n b' }));
    if (!place) throw new Error('no place');
    const read = async (headers: readonly string[]) =>
      textOf((await messages.read([place], { ...needs, headers })).get(place)?.headers);
    expect(await read(['x-long', 'subject'])).toBe('Subject: hello\r\nX-Long: a\r\n b\r\n\r\n');
    expect(await read(['x-none'])).toMatch(/^(\r\n)?$/);
    for (const odd of ['x-odd"name', 'x-a)b', 'x-{1}', 'x-a]b', 'x\\', 'a\r\nb']) {
      expect(await read([odd, 'subject'])).toContain('Subject: hello\r\nX-Odd"Name: a\r\n'.slice(0, 16));
    }
    await expect(messages.readSections([{ place, section: '1] BODY[' }])).rejects.toThrow('Not a section');
  });

  test('knows nothing of places that are gone', async () => {
    const { messages, put, other } = await account(start, options);
    const [kept, gone] = await put('INBOX', message('kept'), message('gone'));
    if (!kept || !gone) throw new Error('no place');
    await other.mailboxOpen('INBOX');
    await other.messageDelete(String(gone.uid), { uid: true });
    const places = [
      kept,
      gone,
      { ...kept, uid: 1_000_000 },
      { ...kept, uidValidity: kept.uidValidity + 1 },
      { ...kept, mailbox: 'Nowhere' },
      { ...kept, mailbox: 'a\0b' },
      { ...kept, mailbox: '"\r\n{1}\\' },
    ];
    const found = await messages.read(places, { ...needs, headers: ['subject'] });
    expect([...found.keys()]).toEqual([kept]);
    const requests = places.map((place) => ({ place, section: '1' }));
    expect([...(await messages.readSections(requests)).keys()]).toEqual([requests[0]]);
    for (const place of places.slice(1)) expect(await messages.open(place, '')).toBeNull();
  });

  test('messages of several mailboxes are read as each mailbox is alone', async () => {
    const { messages, put, other } = await account(start, options);
    const places = await put('INBOX', message('one'), message('two'));
    for (const name of ['First', 'Second']) {
      const { path: box } = await other.mailboxCreate(name);
      places.push(...(await put(box, message(`${name} a`), message(`${name} b`))));
    }
    const [first] = places;
    if (!first) throw new Error('no place');
    places.push({ ...first, uid: 99 }, { ...first, uidValidity: first.uidValidity + 1 }, { ...first, mailbox: 'No' });
    const mixed = [0, 2, 4, 6, 8, 1, 3, 7, 5].map((index) => places[index] as Place);
    const requests = mixed.flatMap((place) => [
      { place, section: 'HEADER' },
      { place, section: '1', maxOctets: 1 + (place.uid % 2) },
    ]);
    const wanted = { ...needs, structure: true, headers: ['subject'] };
    const [facts, sections] = [new Map(), new Map()];
    for (const place of mixed) for (const [at, fact] of await messages.read([place], wanted)) facts.set(at, fact);
    for (const request of requests) {
      for (const [at, octets] of await messages.readSections([request])) sections.set(at, octets);
    }
    expect([facts.size, sections.size]).toEqual([6, 12]);
    for (const order of [mixed, mixed.toReversed(), mixed]) {
      expect(await messages.read(order, wanted)).toEqual(facts);
      expect(await messages.readSections(requests)).toEqual(sections);
    }
  });

  test('reads no more of a section than wanted, and \\Seen stays unset', async () => {
    const { messages, put, other } = await account(start, options);
    const [place] = await put('INBOX', message('long', {}, `${'0123456789'.repeat(7)}\r\n`));
    if (!place) throw new Error('no place');
    const request = { place, section: '1', maxOctets: 15 };
    const whole = { place, section: '1' };
    const sections = await messages.readSections([request, whole]);
    expect(textOf(sections.get(request))).toBe('012345678901234');
    expect(sections.get(whole)?.length).toBe(72);
    const end = { place, section: '1', from: 65, maxOctets: 1_000 };
    const both = await messages.readSections([request, end]);
    expect([textOf(both.get(request)), textOf(both.get(end))]).toEqual(['012345678901234', '56789\r\n']);
    const opened = await messages.open(place, '');
    await (opened && drain(opened.octets));
    await other.mailboxOpen('INBOX');
    const fetched = await other.fetchOne('1', { flags: true });
    expect(fetched && [...(fetched.flags ?? [])].filter((flag) => flag !== '\\Recent')).toEqual([]);
  });

  test('streams a message in chunks, whatever its size, and holds the session until the end', async () => {
    const { messages, put, held, commands } = await account(start, options);
    const chunk = imapLimits.streamChunkOctets;
    const head = message('big', {}, '');
    const line = `${'x'.repeat(62)}\r\n`;
    for (const length of [chunk - 1, chunk, 2 * chunk + 17]) {
      const text = `${head}${line.repeat(Math.ceil(length / 64))}`
        .slice(0, length - 2)
        .replace(/[\r\n]$/, 'x')
        .concat('\r\n');
      const [place] = await put('INBOX', text);
      if (!place) throw new Error('no place');
      commands.length = 0;
      const opened = await messages.open(place, '');
      expect(opened?.size).toBe(text.length);
      expect(held.count).toBe(1);
      expect(opened && (await drain(opened.octets)).equals(Buffer.from(text))).toBe(true);
      expect(held.count).toBe(0);
      // Of one that is not at its end with the first chunk the size is made sure of.
      const isMore = text.length >= chunk;
      expect(commands.filter((each) => each === 'UID FETCH')).toHaveLength(
        Math.floor(text.length / chunk) + (isMore ? 2 : 1),
      );
      const cancelled = await messages.open(place, '1');
      await cancelled?.octets.cancel();
      expect(held.count).toBe(0);
    }
  });
});

test.each([
  ['is kept', imapLimits.wholeMessagesOctetsMax],
  ['is read again, too large to be kept', 10],
])('a message that Dovecot misreads has the sections of the tree that was told, and %s', async (_, octetsMax) => {
  const { messages, put, held } = await account(dovecot, {}, { ...imapLimits, wholeMessagesOctetsMax: octetsMax });
  const body = '--c\r\n\r\nHello\r\n--c--\r\n';
  const [place, sane] = await put(
    'INBOX',
    message('misread', { 'Content-Type': 'multipart/mixed; boundary=b' }, body),
    message('sane'),
  );
  if (!place || !sane) throw new Error('no place');
  const facts = await messages.read([place, sane], { ...needs, structure: true });
  expect(facts.get(place)?.structure?.subParts).toMatchObject([
    { partId: '1', type: 'text/plain', encodedSize: body.length },
  ]);
  const requests = [
    { place, section: '1' },
    { place, section: '1', maxOctets: 3 },
    { place: sane, section: '1' },
    { place, section: '2' },
  ];
  const sections = await messages.readSections(requests);
  expect(requests.map((request) => textOf(sections.get(request)))).toEqual([body, '--c', 'Hello\r\n', undefined]);
  const part = await messages.open(place, '1');
  expect(part?.size).toBe(body.length);
  expect(part && (await drain(part.octets)).toString()).toBe(body);
  expect(await messages.open(place, '2')).toBeNull();
  const whole = await messages.open(place, '');
  expect(whole && (await drain(whole.octets)).toString()).toMatch(/Subject: misread[\s\S]*--c--\r\n$/);
  expect(held.count).toBe(0);
});

test('headers that would fill the memory are not kept, and the session can be used again', async () => {
  const { messages, put } = await account(dovecot, {}, { ...imapLimits, factsOctetsMax: 3_000 });
  const places = await put('INBOX', ...['a', 'b'].map((subject) => message(subject, { 'X-Long': 'x'.repeat(2_000) })));
  const asked = { ...needs, headers: 'all' } as const;
  await expect(messages.read(places, asked)).rejects.toBeInstanceOf(TooMuchAtOnce);
  expect((await messages.read(places.slice(1), asked)).size).toBe(1);
  expect((await messages.read(places, { ...needs, headers: ['subject'] })).size).toBe(2);
});

test('a preview is the server’s, where it has one', async () => {
  const dove = await account(dovecot);
  const [place] = await dove.put('INBOX', message('hello', {}, 'See you at   noon.\r\n'));
  if (!place) throw new Error('no place');
  expect((await dove.messages.read([place], { ...needs, preview: true })).get(place)?.preview).toBe('See you at noon.');
  const none = await account(dovecot, { ignoring: ['PREVIEW'] });
  const [other] = await none.put('INBOX', message('hello'));
  expect(other && (await none.messages.read([other], { ...needs, preview: true })).get(other)).toEqual({});
});

test('fifty messages of two mailboxes cost an EXAMINE and a FETCH for each mailbox', async () => {
  const { messages, put, other, commands } = await account(dovecot);
  await other.mailboxCreate('Else');
  const texts = Array.from({ length: 25 }, (_, index) => message(`m${index}`));
  const places = [...(await put('INBOX', ...texts)), ...(await put('Else', ...texts))];
  const found = await messages.read(places, { headers: ['subject', 'from'], structure: true, preview: true });
  expect(found.size).toBe(50);
  expect(commands).toEqual(['EXAMINE', 'UID FETCH', 'EXAMINE', 'UID FETCH']);
  commands.length = 0;
  await messages.read(places.slice(25), { ...needs, headers: 'all' });
  expect(commands).toEqual(['UID FETCH']);
});

function outline(part: Part, server: string): object {
  const { partId, section, type, charset, disposition, name, cid, location, encodedSize } = part;
  // QUIRK(cyrus): languages in upper case. QUIRK(courier): 8bit where nothing is said.
  const language = part.language?.map((tag) => tag.toLowerCase());
  const encoding = part.encoding === '8bit' ? '7bit' : part.encoding;
  const own = { partId, section, type, charset, disposition, name, cid };
  // QUIRK(courier): no language, no location, and sizes that are off by one.
  const isExact = server !== 'Courier';
  const more = isExact ? { language, location } : {};
  const sizes = part.subParts.length > 0 || !isExact ? {} : { encoding, encodedSize };
  return { ...own, ...more, ...sizes, subParts: part.subParts.map((child) => outline(child, server)) };
}

function leavesOf(part: Part): Part[] {
  return part.subParts.length > 0 ? part.subParts.flatMap(leavesOf) : [part];
}

/** Reads messages 1 and 2 of the mailboxes, of a server that answers nothing before it was asked for all of them. */
async function readingTogether(
  names: readonly string[],
  answersOf: Record<string, readonly [examine: string, fetch: string]> = {},
  isOpen = false,
) {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const answers: string[] = [];
  let opened = '';
  let isPatient = false;
  const waiting = (answer: string): string | null => {
    answers.push(answer);
    if (isPatient && answers.length < 2 * names.length - Number(isOpen)) return null;
    isPatient = false;
    return answers.splice(0).join('');
  };
  const header = (uid: number) => {
    const text = `Subject: ${opened}${uid}\r\n\r\n`;
    return `* ${uid} FETCH (UID ${uid} BODY[HEADER.FIELDS (SUBJECT)] {${text.length}}\r\n${text})\r\n`;
  };
  const fetch: Answer = ({ tag, line }) => {
    const uids = [1, 2].filter((uid) => / 1:2 /.test(line) || line.includes(` ${uid} `));
    const rows = uids.map(header).join('');
    const [, said = `${rows}% OK done\r\n`] = (isPatient ? answersOf[opened] : undefined) ?? [];
    return waiting(said.replaceAll('%', tag).replace('<rows>', rows));
  };
  const scripted = await scriptedServer({
    answers: {
      EXAMINE: ({ tag, line }) => {
        opened = line.trim().split(' ').at(-1)?.replaceAll('"', '') ?? '';
        return waiting((answersOf[opened]?.[0] ?? examined).replaceAll('%', tag));
      },
      'UID FETCH': fetch,
    },
  });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const messages = imapMessages(use, () => () => {});
  const placesIn = (name: string) => [1, 2].map((uid) => ({ mailbox: name, uidValidity: 7, uid }));
  const subjectsOf = async (places: readonly Place[]) => {
    const facts = await messages.read(places, { ...needs, headers: ['subject'] });
    return places.map((place) => textOf(facts.get(place)?.headers)?.trim());
  };
  if (isOpen) await subjectsOf(placesIn(names[0] ?? ''));
  isPatient = true;
  scripted.commands.length = 0;
  const asked = subjectsOf(names.flatMap(placesIn));
  const commands = () => scripted.commands.flatMap((line) => /^(?:EXAMINE \S+|UID FETCH \S+)/.exec(line) ?? []);
  return { asked, commands, isSessionOpen: () => session.isOpen };
}

const subjects = (...texts: string[]) => texts.map((text) => `Subject: ${text}`);

test('mailboxes are not waited for one after the other, and each row is of its own', async () => {
  const { asked } = await readingTogether(['a', 'b', 'c']);
  expect(await asked).toEqual(subjects('a1', 'a2', 'b1', 'b2', 'c1', 'c2'));
});

test('what is told before a mailbox is open is not of it', async () => {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const only = '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: b1\r\n\r\n)\r\n% OK done\r\n';
  const { asked } = await readingTogether(['a', 'b'], { b: [examined, only] });
  expect(await asked).toEqual([...subjects('a1', 'a2', 'b1'), undefined]);
});

test('of many messages no command names more than a part', async () => {
  const asked: string[] = [];
  const scripted = await scriptedServer({
    answers: {
      'UID FETCH': ({ line }) => {
        asked.push(line.split(' ')[3] ?? '');
        return '% OK done\r\n';
      },
    },
  });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const { read } = imapMessages(use, () => () => {});
  await read(
    Array.from({ length: 1_200 }, (_, index) => ({ mailbox: 'INBOX', uidValidity: 7, uid: index + 1 })),
    { ...needs, headers: ['subject'] },
  );
  expect(asked).toEqual(['1:500', '501:1000', '1001:1200']);
});

test('for no messages nobody is asked', async () => {
  const messages = imapMessages(
    () => Promise.reject(new Error('not to be asked')),
    () => () => {},
  );
  expect([await messages.read([], needs), await messages.readSections([])]).toEqual([new Map(), new Map()]);
});

test('the one that is open is read first, and not opened again', async () => {
  const { asked, commands } = await readingTogether(['a', 'b', 'c'], {}, true);
  expect(await asked).toEqual(subjects('a1', 'a2', 'b1', 'b2', 'c1', 'c2'));
  expect(commands()).toEqual(['UID FETCH 1:2', 'EXAMINE "b"', 'UID FETCH 1:2', 'EXAMINE "c"', 'UID FETCH 1:2']);
});

test('one that is gone, or is another by now, has no messages, and harms no other', async () => {
  const other = '* 2 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const { asked } = await readingTogether(['gone', 'a', 'other', 'b'], {
    gone: ['% NO no such mailbox\r\n', '% BAD no mailbox is selected\r\n'],
    other: [other, '<rows>% OK done\r\n'],
  });
  const none = [undefined, undefined];
  expect(await asked).toEqual([...none, ...subjects('a1', 'a2'), ...none, ...subjects('b1', 'b2')]);
});

test.each([
  ['and not opened again', 'b', true],
  ['', 'a', false],
])('where a message is refused it is asked again when all have been read, %s', async (_, name, isOpen) => {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const refusal = '* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {3}\r\nbad)\r\n% NO cannot read it\r\n';
  const { asked, commands, isSessionOpen } = await readingTogether(['a', 'b'], { [name]: [examined, refusal] }, isOpen);
  expect(await asked).toEqual(subjects('a1', 'a2', 'b1', 'b2'));
  expect(commands().slice(isOpen ? 3 : 4)).toEqual(name === 'b' ? ['UID FETCH 1:2'] : ['EXAMINE "a"', 'UID FETCH 1:2']);
  expect(isSessionOpen()).toBe(true);
});

/** Reads a message in each of two mailboxes with so much memory; in the first one it is refused behind 3,000 octets of it, and then tried again. */
async function readingWithin(octets: number, again: readonly string[]) {
  const examined = '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n% OK done\r\n';
  const row = (text: string) => `* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {${text.length}}\r\n${text})\r\n`;
  const large = row('S'.repeat(3_000));
  const script = [
    examined,
    `${large}% NO cannot\r\n`,
    examined,
    `${row('Subject: b1\r\n\r\n')}% OK done\r\n`,
    ...again,
  ];
  const held: string[] = [];
  let said = 0;
  const next: Answer = ({ tag }) => {
    held.push((script[said++] ?? '').replaceAll('%', tag).replace('<large>', large).replace('<examined>', examined));
    return said < 4 ? null : held.splice(0).join('').replaceAll('%', tag);
  };
  const scripted = await scriptedServer({ answers: { EXAMINE: next, 'UID FETCH': next } });
  const { use, session } = await oneSession(scripted.server, { kind: 'password', user: 'anna', password: 'secret' });
  open.push(session, { close: () => void scripted.close() });
  const messages = imapMessages(use, () => () => {}, { ...imapLimits, factsOctetsMax: octets });
  const places = ['a', 'b'].map((mailbox) => ({ mailbox, uidValidity: 7, uid: 1 }));
  const facts = await messages.read(places, { ...needs, headers: ['subject'] });
  return places.map((place) => facts.get(place)?.headers?.length);
}

test('what was not kept for want of memory is not taken for what is not there, also where the reason of it has gone', async () => {
  await expect(readingWithin(2_000, ['% NO gone\r\n'])).rejects.toThrow(TooMuchAtOnce);
});

test('what came before a refusal does not count when it comes again', async () => {
  expect(await readingWithin(5_000, ['<examined>', '<large>% OK done\r\n'])).toEqual([3_000, 15]);
});
