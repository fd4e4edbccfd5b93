import { deadFiles, importCycles, importLaw } from './import-law.ts';
import type { Repository } from './repository.ts';
import { bannedWords, brokenLinks, emptyNames, methodHeaders } from './wording.ts';

const import_ = (names: string, from: string) => `import ${names} from '${from}';\n`;

/** A rule on small projects that break it or nearly do, with what it has to find there. */
export type Planted = readonly [
  what: string,
  rule: (repository: Repository) => string[],
  files: { readonly [file: string]: string },
  violations: readonly string[],
];

export const planted: readonly Planted[] = [
  [
    'a pure room imports an adapter',
    importLaw,
    { 'shared/methods/Email/get.ts': import_('{ a }', '../../imap/session.ts') },
    ['shared/methods/Email/get.ts: may not import shared/imap/session.ts'],
  ],
  [
    'the engine imports a part of Node',
    importLaw,
    { 'shared/jmap/a.ts': import_('{ createHash }', 'node:crypto') },
    ['shared/jmap/a.ts: may not import node:crypto'],
  ],
  [
    'a room imports a package that is not its own',
    importLaw,
    { 'shared/catalog/a.ts': import_('{ ImapFlow }', 'imapflow') },
    ['shared/catalog/a.ts: may not import imapflow'],
  ],
  [
    'an adapter imports another',
    importLaw,
    { 'shared/aws/a.ts': import_('type { A }', '../imap/a.ts') },
    ['shared/aws/a.ts: may not import shared/imap/a.ts'],
  ],
  [
    'an adapter imports a value from above',
    importLaw,
    { 'shared/imap/a.ts': import_('{ a, type B }', '../catalog/a.ts') },
    ['shared/imap/a.ts: may not import shared/catalog/a.ts'],
  ],
  [
    'an adapter imports types from above',
    importLaw,
    { 'shared/imap/a.ts': import_('{ type A, type B }', '../catalog/a.ts') },
    [],
  ],
  [
    'the infrastructure imports code',
    importLaw,
    { 'infra/a.ts': import_('{ createApp }', '../functions/http/app.ts') },
    ['infra/a.ts: may not import functions/http/app.ts'],
  ],
  [
    'a room imports by name only when it runs',
    importLaw,
    { 'shared/jmap/a.ts': "const a = import('../aws/a.ts');" },
    ['shared/jmap/a.ts: may not import shared/aws/a.ts'],
  ],
  [
    'a room passes on what it may not import',
    importLaw,
    { 'shared/jmap/a.ts': "export * from '../aws/a.ts';\n" },
    ['shared/jmap/a.ts: may not import shared/aws/a.ts'],
  ],
  ['a file lies in no room', importLaw, { 'scripts/a.ts': '' }, ['scripts/a.ts: belongs to no room']],
  [
    'functions import everything',
    importLaw,
    { 'functions/a.ts': import_('{ a }', '../shared/aws/a.ts') + import_('fs', 'node:fs') },
    [],
  ],
  [
    'files import each other in a circle',
    importCycles,
    {
      'shared/jmap/a.ts': import_('{ b }', './b.ts'),
      'shared/jmap/b.ts': import_('{ c }', './c.ts'),
      'shared/jmap/c.ts': import_('{ a }', './a.ts'),
    },
    ['shared/jmap/a.ts → shared/jmap/b.ts → shared/jmap/c.ts → shared/jmap/a.ts'],
  ],
  [
    'types refer to one another',
    importCycles,
    { 'shared/jmap/a.ts': import_('type { B }', './b.ts'), 'shared/jmap/b.ts': import_('{ a }', './a.ts') },
    [],
  ],
  [
    'only a test uses a file',
    deadFiles,
    { 'tests/a.test.ts': import_('{ a }', '../shared/message/a.ts'), 'shared/message/a.ts': '' },
    ['shared/message/a.ts: nothing leads to it'],
  ],
  [
    'not even a test uses a part of the engine',
    deadFiles,
    { 'tests/a.test.ts': import_('{ a }', '../shared/jmap/a.ts'), 'shared/jmap/a.ts': '', 'shared/jmap/b.ts': '' },
    ['shared/jmap/b.ts: nothing leads to it'],
  ],
  [
    'a file is used by way of others, or started by name',
    deadFiles,
    {
      'package.json': '{ "scripts": { "start": "node functions/local/start.mjs" } }',
      'functions/local/start.mjs': "spawn('node', ['main.ts'])",
      'functions/local/main.ts': import_('{ a }', '../../shared/jmap/a.ts'),
      'shared/jmap/a.ts': import_('type { B }', './b.ts'),
      'shared/jmap/b.ts': '',
    },
    [],
  ],
  [
    'a file is a drawer',
    emptyNames,
    { 'shared/jmap/date-utils.ts': '', 'functions/lib/a.ts': '' },
    [
      'shared/jmap/date-utils.ts: says nothing about what it holds',
      'functions/lib/a.ts: says nothing about what it holds',
    ],
  ],
  [
    'a name only begins like a drawer',
    emptyNames,
    { 'shared/jmap/library.ts': '', 'shared/jmap/commonplace.ts': '' },
    [],
  ],
  [
    'a method does not say which it is',
    methodHeaders,
    { 'shared/methods/Email/query.ts': '' },
    ['shared/methods/Email/query.ts: does not open with "// Email/query (RFC 8621 §4.4)"'],
  ],
  [
    'a method names the section of another',
    methodHeaders,
    { 'shared/methods/Email/query.ts': '// Email/query (RFC 8621 §4.2)\n' },
    ['shared/methods/Email/query.ts: RFC 8621 §4.2 is not the section of Email/query'],
  ],
  [
    'a method has the name of another',
    methodHeaders,
    { 'shared/methods/Email/query.ts': '// Email/get (RFC 8621 §4.2)\n' },
    ['shared/methods/Email/query.ts: opens with the name of Email/get'],
  ],
  [
    'a method says what it is, and a record nothing',
    methodHeaders,
    { 'shared/methods/Email/query.ts': '// Email/query (RFC 8621 §4.4)\n', 'shared/methods/Email/record.ts': '' },
    [],
  ],
  ['a link leads to no file', brokenLinks, { 'README.md': '[a](docs/a.md)' }, ['README.md: docs/a.md leads nowhere']],
  [
    'a link leads to no heading',
    brokenLinks,
    { 'docs/a.md': '[a](../README.md#b)', 'README.md': '# A' },
    ['docs/a.md: ../README.md#b leads nowhere'],
  ],
  [
    'links lead to a file, a heading, a folder, the web',
    brokenLinks,
    { 'README.md': '# One & two\n[a](docs/a.md) [b](#one--two) [c](docs/) [d](https://a.example)', 'docs/a.md': '' },
    [],
  ],
  [
    'the environment is read elsewhere',
    bannedWords,
    { 'functions/a.ts': 'process.env.A' },
    ['functions/a.ts: "process.env": the environment is read in shared/config.ts only'],
  ],
  [
    'the environment is read where it may be',
    bannedWords,
    { 'shared/config.ts': 'process.env.A', 'tests/a.ts': 'process.env.A' },
    [],
  ],
  [
    'a pure room looks at the clock',
    bannedWords,
    { 'shared/catalog/a.ts': 'Date.now()' },
    ['shared/catalog/a.ts: "Date.now": the clock, timers and randomness come in as arguments'],
  ],
  [
    'a pure room rolls dice',
    bannedWords,
    { 'shared/methods/a.ts': 'randomUUID()' },
    ['shared/methods/a.ts: "randomUUID": the clock, timers and randomness come in as arguments'],
  ],
  [
    'an adapter looks at the clock, a pure room at a date, a comment at both',
    bannedWords,
    {
      'shared/imap/a.ts': 'Date.now()',
      'shared/jmap/a.ts': 'new Date(0)',
      'shared/message/a.ts': '// Date.now() is not asked',
    },
    [],
  ],
  [
    'the compiler is silenced',
    bannedWords,
    { 'tests/a.ts': 'const a = b as any;', 'shared/jmap/a.ts': 'const a = b as never;' },
    [
      'tests/a.ts: "as any": the compiler is not silenced',
      'shared/jmap/a.ts: "as never": the compiler is not silenced',
    ],
  ],
  ['a comment has the same words', bannedWords, { 'shared/jmap/a.ts': '/** This is as any other. */' }, []],
  [
    'a mailbox is closed',
    bannedWords,
    { 'shared/imap/a.ts': "command('CLOSE')" },
    [`shared/imap/a.ts: "'CLOSE'": CLOSE, a bare EXPUNGE and what sends them expunge messages of other clients`],
  ],
  [
    'everything flagged is expunged',
    bannedWords,
    { 'shared/imap/a.ts': "this.run('EXPUNGE')" },
    [`shared/imap/a.ts: "run('EXPUNGE": CLOSE, a bare EXPUNGE and what sends them expunge messages of other clients`],
  ],
  [
    'named messages are expunged, and the answer is read',
    bannedWords,
    { 'shared/imap/a.ts': "run('UID EXPUNGE', set); case 'EXPUNGE': socket.on('close', f)" },
    [],
  ],
  [
    'work is left for later',
    bannedWords,
    { 'docs/a.md': `${'TO'}DO: write` },
    [`docs/a.md: "${'TO'}DO": unfinished work is finished or told in docs`],
  ],
  [
    'a path of one machine is written down',
    bannedWords,
    { 'docs/a.md': 'see /home/me/a' },
    ['docs/a.md: "/home/": no path of one machine'],
  ],
  ['a path on the web looks like one', bannedWords, { 'docs/a.md': 'https://a.example/home/b' }, []],
  [
    'a test is left out',
    bannedWords,
    { 'tests/a.test.ts': "test.skip('a')" },
    ['tests/a.test.ts: "test.skip": every test runs'],
  ],
];
