import fc from 'fast-check';
import type { FakeOptions } from '../catalog/fake-mail-server.ts';
import { anyMessage } from './messages.ts';
import { requestBody } from './requests.ts';
import { token } from './values.ts';

/** What another client does to the mailboxes. Numbers count what is there round and round. */
export type Act =
  | { readonly kind: 'deliver'; readonly mailbox: number; readonly message: string; readonly flags: readonly string[] }
  | { readonly kind: 'flag'; readonly mailbox: number; readonly message: number; readonly flags: readonly string[] }
  | { readonly kind: 'expunge'; readonly mailbox: number; readonly message: number }
  | { readonly kind: 'copy' | 'move'; readonly mailbox: number; readonly message: number; readonly to: number }
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'rename'; readonly mailbox: number; readonly name: string }
  | { readonly kind: 'remove' | 'renew'; readonly mailbox: number };

/** What the client asks next. */
export type Step =
  | { readonly kind: 'api'; readonly body: string }
  | {
      readonly kind: 'download';
      readonly blobId: string;
      readonly name: string;
      readonly query: string;
      readonly range: string;
    }
  | { readonly kind: 'upload'; readonly file: string };

/** An account of its own and what happens to it: nothing carries over from one case to another. */
export type Case = {
  readonly server: FakeOptions;
  readonly messages: readonly string[];
  readonly rounds: readonly { readonly acts: readonly Act[]; readonly step: Step }[];
};

const number = fc.nat({ max: 20 });
const flags = fc.subarray([
  '\\Seen',
  '\\Deleted',
  '\\Draft',
  '\\Flagged',
  '$Junk',
  'Later',
  '$seen',
  '\\Odd',
  'a/b~c',
  '__proto__',
]);
const mailboxName = fc.oneof(
  fc.constantFrom(
    'Work',
    'Work/A',
    'Work//B',
    '/',
    '',
    'inbox',
    'INBOX/x',
    'Trash',
    'Gelöschte Elemente',
    '__proto__',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('deliver' as const), mailbox: number, message: anyMessage, flags }),
  fc.record({ kind: fc.constant('flag' as const), mailbox: number, message: number, flags }),
  fc.record({ kind: fc.constant('expunge' as const), mailbox: number, message: number }),
  fc.record({ kind: fc.constantFrom('copy' as const, 'move' as const), mailbox: number, message: number, to: number }),
  fc.record({ kind: fc.constant('create' as const), name: mailboxName }),
  fc.record({ kind: fc.constant('rename' as const), mailbox: number, name: mailboxName }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'renew' as const), mailbox: number }),
);

const pathSegment = fc.oneof(
  fc.constantFrom('a.txt', '..', '%', '%2F', '%E2%98', '"\r\nX-A: b', 'é', ''),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const blobId = fc.oneof(
  { weight: 5, arbitrary: token('blobId') },
  fc
    .tuple(token('blobId'), fc.constantFrom('-1', '-1-2', '-1_1', '-', '-TEXT', '-999999999999', '-1'.repeat(30)))
    .map((parts) => parts.join('')),
  pathSegment,
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('api' as const), body: requestBody }) },
  fc.record({
    kind: fc.constant('download' as const),
    ...{ blobId, name: pathSegment },
    query: fc.constantFrom(
      '',
      '?type=text/html',
      '?type=%0d%0aX:1',
      '?type=',
      '?type=a&type=b',
      '?type=%',
      '?type=é/é;x="',
    ),
    range: fc.constantFrom(
      '',
      'bytes=0-1',
      'bytes=-1',
      'bytes=5-',
      'bytes=9-1',
      'bytes=0-99999999999999999999',
      'bytes=0-0,2-3',
      'x',
    ),
  }),
  fc.record({ kind: fc.constant('upload' as const), file: anyMessage }),
);

export const anyCase: fc.Arbitrary<Case> = fc.record({
  server: fc.record({
    tier: fc.constantFrom('qresync' as const, 'condstore' as const, 'plain' as const),
    scheme: fc.constantFrom('xguid' as const, 'digest' as const, 'objectid' as const),
    threads: fc.constantFrom('derived' as const, 'server' as const),
    batch: fc.integer({ min: 1, max: 3 }),
  }),
  messages: fc.array(anyMessage, { maxLength: 4 }),
  rounds: fc.array(fc.record({ acts: fc.array(act, { maxLength: 3 }), step }), { minLength: 1, maxLength: 4 }),
});
