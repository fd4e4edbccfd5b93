import { afterEach, expect, test } from '@jest/globals';
import { type Foreseen, MailboxGone } from '../../shared/catalog/source.ts';
import { ImapSession } from '../../shared/imap/session.ts';
import { imapSource } from '../../shared/imap/source.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { type Answer, scriptedServer } from './scripted-server.ts';

const facts = { scheme: 'xguid', threads: 'derived' } as const;
const vector = { uidValidity: 7, uidNext: 2, highestModseq: '3', messages: 1 };
const known = { vector, uids: async () => [1] };
const inbox: Foreseen = { name: 'INBOX', vector, forChanges: false };

const more = 'LIST-EXTENDED LIST-STATUS';
const capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC NAMESPACE UNSELECT ESEARCH';
const listed =
  '* LIST () "/" INBOX\r\n* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)\r\n% OK done\r\n';
const opened =
  '* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n* OK [HIGHESTMODSEQ 3] ok\r\n' +
  '* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n% OK done\r\n';

const newRow =
  '* 1 FETCH (UID 2 FLAGS () INTERNALDATE "01-Mar-2024 10:00:00 +0000" RFC822.SIZE 5 X-GUID a)\r\n% OK done\r\n';

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

/** The list comes when the mailbox has been asked for too, as it does from servers that are far away. */
function together(examine: string): Record<string, Answer> {
  let waiting: string | null = null;
  const open: Answer = ({ tag }) => {
    const before = waiting ?? '';
    waiting = null;
    return `${before}${examine.replaceAll('%', tag)}`;
  };
  return {
    LIST: ({ tag }) => {
      waiting = listed.replaceAll('%', tag);
      return null;
    },
    EXAMINE: open,
    SELECT: open,
  };
}

async function surveying(answers: Record<string, Answer>, extensions = more, others = capabilities) {
  const offered = `${others} ${extensions}`;
  const server = await scriptedServer({
    greeting: `* OK [CAPABILITY ${offered}] ready\r\n`,
    answers: { AUTHENTICATE: `% OK [CAPABILITY ${offered}] welcome\r\n`, ...answers },
  });
  started.push(server.close);
  const session = await ImapSession.open(server.server, { kind: 'password', user: 'u', password: 'p' });
  started.push(async () => session.close());
  const source = imapSource((operation) => operation(session), { forbiddenIdentitySchemes: [] });
  const asked = () =>
    server.commands.flatMap((line) => /^(?:LIST|EXAMINE|SELECT|NOOP|UNSELECT|STATUS)\b.*/.exec(line) ?? []);
  const names = () => asked().map((line) => line.split(' ')[0]);
  return { source, session, asked, names };
}

test('a mailbox that is foreseen is opened behind the list, and read without another command', async () => {
  const { source, asked } = await surveying(together(opened));
  expect(await source.survey(Promise.resolve(inbox))).toHaveLength(1);
  expect(await source.read('INBOX', known, facts)).toMatchObject({ kind: 'delta', vector });
  expect(asked()).toEqual([expect.stringMatching(/^LIST/), 'EXAMINE "INBOX" (QRESYNC (7 3))']);
});

test('messages that are new in it are asked for without opening it again', async () => {
  const { source, asked } = await surveying({
    ...together(opened.replace('UIDNEXT 2', 'UIDNEXT 3')),
    'UID FETCH': newRow,
  });
  await source.survey(Promise.resolve(inbox));
  const { appeared } = await source.read('INBOX', known, facts, { ...vector, uidNext: 3 });
  for await (const batch of appeared) expect(batch.at(0)).toMatchObject({ uid: 2, serverEmailId: 'a' });
  expect(asked().slice(1)).toEqual(['EXAMINE "INBOX" (QRESYNC (7 3))']);
});

test('one that is opened for changes serves both reading and changes', async () => {
  const { source, session, names } = await surveying(together(opened));
  await source.survey(Promise.resolve({ ...inbox, forChanges: true }));
  expect(await source.read('INBOX', known, facts)).toMatchObject({ kind: 'delta', vector });
  expect(await session.select('INBOX', 7, 2)).toMatchObject({ isReadOnly: false });
  expect(names()).toEqual(['LIST', 'SELECT']);
});

test('one that is opened for reading is opened again for changes', async () => {
  const { source, session, names } = await surveying(together(opened));
  await source.survey(Promise.resolve(inbox));
  expect(await session.select('INBOX', 7, 2)).toMatchObject({ isReadOnly: false });
  expect(names()).toEqual(['LIST', 'EXAMINE', 'SELECT']);
});

test('changes since another state are asked for again', async () => {
  const { source, asked } = await surveying(together(opened));
  await source.survey(Promise.resolve(inbox));
  await source.read('INBOX', { ...known, vector: { ...vector, highestModseq: '2' } }, facts);
  expect(asked().slice(1)).toEqual(['EXAMINE "INBOX" (QRESYNC (7 3))', 'EXAMINE "INBOX" (QRESYNC (7 2))']);
});

test('what was sent since makes the answer old', async () => {
  const { source, session, names } = await surveying(together(opened));
  await source.survey(Promise.resolve(inbox));
  await session.exec('NOOP', []);
  await source.read('INBOX', known, facts);
  expect(names()).toEqual(['LIST', 'EXAMINE', 'NOOP', 'EXAMINE']);
});

test('another mailbox is read as if none had been opened', async () => {
  const { source, asked } = await surveying(together(opened));
  await source.survey(Promise.resolve(inbox));
  expect(await source.read('Other', known, facts)).toMatchObject({ vector });
  expect(asked().at(-1)).toBe('EXAMINE "Other" (QRESYNC (7 3))');
});

test.each<[string, (session: ImapSession) => Promise<unknown>, string, string]>([
  ['something was sent since', (session) => session.exec('NOOP', []), 'INBOX', '3'],
  ['it is another one', async () => {}, 'Other', '3'],
  ['changes are asked for since another state', async () => {}, 'INBOX', '2'],
])(
  'what is new in a mailbox that has to be opened is asked for in the same flight: %s',
  async (_, act, name, highestModseq) => {
    const { EXAMINE: openAhead, ...ahead } = together(opened);
    let held: string | null = null;
    const { source, session, names } = await surveying({
      ...ahead,
      EXAMINE: (command) => {
        if (held === null && typeof openAhead === 'function') {
          held = '';
          return openAhead(command);
        }
        held = opened.replace('UIDNEXT 2', 'UIDNEXT 3').replaceAll('%', command.tag);
        return null;
      },
      'UID FETCH': ({ tag }) => `${held}${newRow.replaceAll('%', tag)}`,
    });
    await source.survey(Promise.resolve(inbox));
    await act(session);
    const isKnown = { ...known, vector: { ...vector, highestModseq } };
    const { appeared } = await source.read(name, isKnown, facts, { ...vector, uidNext: 3 });
    for await (const batch of appeared) expect(batch.at(0)).toMatchObject({ uid: 2 });
    expect(names().filter((command) => command === 'EXAMINE')).toHaveLength(2);
  },
);

test('a refusal is told to whoever reads the mailbox', async () => {
  const { source, names } = await surveying(together('% NO [NONEXISTENT] gone\r\n'));
  expect(await source.survey(Promise.resolve(inbox))).toHaveLength(1);
  await expect(source.read('INBOX', known, facts)).rejects.toThrow(MailboxGone);
  expect(names()).toEqual(['LIST', 'EXAMINE']);
});

test('nothing is opened when the list was faster, or is followed by STATUS', async () => {
  const late = await surveying({ LIST: listed, EXAMINE: opened });
  let tell: (foreseen: Foreseen) => void = () => {};
  await late.source.survey(
    new Promise((resolve) => {
      tell = resolve;
    }),
  );
  tell(inbox);
  await late.source.read('INBOX', known, facts);
  expect(late.names()).toEqual(['LIST', 'EXAMINE']);

  const status = '* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 3)\r\n% OK done\r\n';
  const plain = await surveying({ LIST: listed, STATUS: status, EXAMINE: opened }, 'LIST-EXTENDED');
  await plain.source.survey(Promise.resolve(inbox));
  expect(plain.names()).toEqual(['LIST', 'STATUS']);
});

test('a mailbox that nobody opened is left, also while its answer is awaited', async () => {
  let lists = 0;
  let listTag = '';
  let examineTag = '';
  const { source, session, names } = await surveying({
    LIST: ({ tag }) => {
      listTag = tag;
      lists += 1;
      return lists === 1 ? null : listed.replaceAll('%', tag);
    },
    EXAMINE: ({ tag }) => {
      examineTag = tag;
      return listed.replaceAll('%', listTag);
    },
    UNSELECT: ({ tag }) => `${opened.replaceAll('%', examineTag)}${tag} OK done\r\n`,
  });
  await source.survey(Promise.resolve(inbox));
  await session.unselect();
  expect(names()).toEqual(['LIST', 'EXAMINE', 'UNSELECT']);
  // Nothing is open: neither is it left again, nor is a NOOP due before the next list.
  await session.unselect();
  await source.survey();
  expect(names()).toEqual(['LIST', 'EXAMINE', 'UNSELECT', 'LIST']);
});

test.each([
  ['left', '', 'UNSELECT'],
  ['brought up to date, where it cannot be left,', ' UNSELECT', 'NOOP'],
])('one that nobody asked for is %s before the next list', async (_, without, command) => {
  const { source, names } = await surveying(together(opened), more, capabilities.replace(without, ''));
  await source.survey(Promise.resolve(inbox));
  await source.survey(Promise.resolve({ ...inbox, name: 'Other' }));
  expect(names()).toEqual(['LIST', 'EXAMINE', command, 'LIST', 'EXAMINE']);
});

test('what is told of the mailbox that is left is not of the one that is opened behind the list', async () => {
  const gone = '* VANISHED 1\r\n* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\n* OK [UIDNEXT 9] ok\r\n% OK done\r\n';
  const { source, session } = await surveying({ ...together(opened), UNSELECT: gone });
  await session.examine('INBOX');
  await source.survey(Promise.resolve({ ...inbox, name: 'Other' }));
  const reading = await source.read('Other', known, facts);
  expect(reading).toMatchObject({ kind: 'delta', vanished: [], flags: [], vector });
});

test('one that is open and cannot be left ends the session before the next list', async () => {
  const { source, session } = await surveying({ ...together(opened), UNSELECT: '% BAD not now\r\n' });
  await source.survey(Promise.resolve(inbox));
  await expect(source.survey()).rejects.toThrow(Unavailable);
  expect(session.isOpen).toBe(false);
});

test('a session whose mailbox was refused can be used again', async () => {
  const { source, session, names } = await surveying({
    ...together('% NO [NONEXISTENT] gone\r\n'),
    UNSELECT: '% BAD no mailbox is open\r\n',
  });
  await source.survey(Promise.resolve(inbox));
  await session.unselect();
  expect([session.isOpen, names()]).toEqual([true, ['LIST', 'EXAMINE', 'UNSELECT']]);
});

test('what is wrong with more than the mailbox is told to whoever comes next', async () => {
  const { source } = await surveying(together('* OK [UIDNEXT 2] ok\r\n% OK done\r\n'));
  await source.survey(Promise.resolve(inbox));
  await expect(source.read('Other', known, facts)).rejects.toThrow(Unavailable);
});
