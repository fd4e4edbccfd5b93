import { describe, expect, test } from '@jest/globals';
import { classifyRefusal, type Refusal, reasonOf } from '../../shared/imap/classify.ts';

const refusal = (status: Refusal['status'], text: string, code?: string): Refusal => ({
  status,
  code: code === undefined ? null : { name: code },
  text,
});

describe('a refusal during the login', () => {
  test.each<[string, Refusal]>([
    ['Dovecot', refusal('NO', 'Authentication failed.', 'AUTHENTICATIONFAILED')],
    ['Cyrus', refusal('NO', 'Login failed: authentication failure')],
    ['Courier', refusal('NO', 'Login failed.')],
    ['Gmail', refusal('NO', 'Invalid credentials (Failure)', 'AUTHENTICATIONFAILED')],
    ['Gmail without an app password', refusal('NO', 'Application-specific password required', 'ALERT')],
    ['Gmail in a strange place', refusal('NO', 'Web login required.', 'WEBALERT')],
    ['Microsoft', refusal('NO', 'LOGIN failed.')],
    ['Microsoft, OAuth', refusal('NO', 'AUTHENTICATE failed.')],
    ['a server that says nothing', refusal('NO', '')],
    ['a server that says BAD for it', refusal('BAD', 'invalid credentials')],
    ['an expired password', refusal('NO', 'That password is no longer good', 'EXPIRED')],
  ])('of a wrong credential is that: %s', (_, given) => {
    expect(classifyRefusal(given, 'login')).toEqual({ kind: 'authentication' });
  });

  test.each<[string, Refusal, number]>([
    ['Microsoft', refusal('BAD', 'Request is throttled. Suggested Backoff Time: 92415 milliseconds'), 93],
    ['Yahoo', refusal('NO', 'LOGIN Rate limit hit', 'LIMIT'), 60],
    ['Gmail', refusal('NO', 'Account exceeded command or bandwidth limits. (Failure)', 'OVERQUOTA'), 60],
    ['Gmail, connections', refusal('NO', 'Too many simultaneous connections. (Failure)', 'ALERT'), 60],
    [
      'Dovecot',
      refusal(
        'NO',
        'Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)',
        'UNAVAILABLE',
      ),
      60,
    ],
    ['Courier', refusal('BYE', 'Maximum connection limit reached for ::ffff:127.0.0.1'), 60],
    ['a code', refusal('NO', 'no', 'THROTTLED'), 60],
    ['a locked mailbox', refusal('NO', 'Mailbox in use', 'INUSE'), 60],
    ['words, with minutes', refusal('NO', 'Login failed: too many attempts, try again in 5 minutes'), 300],
    ['a wait beyond reason', refusal('BAD', 'Request is throttled. Suggested Backoff Time: 999999999999 ms'), 86_400],
  ])('of somebody who asks too much is never a wrong credential: %s', (_, given, retryAfterSeconds) => {
    expect(classifyRefusal(given, 'login')).toEqual({ kind: 'throttled', retryAfterSeconds });
  });

  test.each<[string, Refusal]>([
    ['Dovecot', refusal('NO', 'Temporary authentication failure. [host:2024-01-01]', 'UNAVAILABLE')],
    ['Microsoft', refusal('BAD', 'User is authenticated but not connected.')],
    ['a bug', refusal('NO', 'This should not happen', 'SERVERBUG')],
    ['no TLS', refusal('NO', 'Plaintext authentication disallowed on non-secure connections.', 'PRIVACYREQUIRED')],
    ['a shutdown', refusal('BYE', 'Server shutting down.')],
    ['a BYE without words', refusal('BYE', '')],
  ])('of a server in trouble is not a wrong credential: %s', (_, given) => {
    expect(classifyRefusal(given, 'login').kind).toBe('unavailable');
  });

  test('of what the server does not understand is not a wrong credential', () => {
    expect(classifyRefusal(refusal('BAD', 'Unknown command'), 'login')).toEqual({ kind: 'protocol' });
  });
});

describe('a refusal of a command', () => {
  test.each<[string, Refusal, string]>([
    ['NO is about the command', refusal('NO', "Mailbox doesn't exist", 'NONEXISTENT'), 'refused'],
    ['NO with words about limits is throttling', refusal('NO', 'Too many requests'), 'throttled'],
    ['BAD is not understood', refusal('BAD', 'Error in IMAP command'), 'protocol'],
    ['BAD can be throttling', refusal('BAD', 'Request is throttled. Suggested Backoff Time: 1'), 'throttled'],
    ['a wide search', refusal('NO', 'SEARCH Server error - Please try again later', 'SERVERBUG'), 'unavailable'],
    ['a lost authorization is no wrong password', refusal('NO', '', 'AUTHORIZATIONFAILED'), 'unavailable'],
    ['BYE ends the connection', refusal('BYE', 'Autologout'), 'unavailable'],
  ])('%s', (_, given, kind) => {
    expect(classifyRefusal(given, 'command').kind).toBe(kind);
  });
});

test.each<[string, Refusal, string, string]>([
  ['Dovecot', refusal('NO', 'Quota exceeded (mailbox for user is full)', 'OVERQUOTA'), 'refused', 'throttled'],
  ['too many flags', refusal('NO', 'Too much', 'LIMIT'), 'refused', 'throttled'],
  ['a mailbox in use', refusal('NO', 'Mailbox in use', 'INUSE'), 'refused', 'throttled'],
  ['Gmail', refusal('NO', 'Account exceeded command or bandwidth limits', 'OVERQUOTA'), 'throttled', 'throttled'],
])('a quota is that of the mailbox only where something is stored: %s', (_, given, storing, reading) => {
  expect([classifyRefusal(given, 'storing').kind, classifyRefusal(given, 'command').kind]).toEqual([storing, reading]);
});

test.each<[string, Refusal, string]>([
  ['Dovecot', refusal('NO', 'Quota exceeded', 'OVERQUOTA'), 'quota'],
  ['Courier', refusal('NO', 'You exceeded your mail quota.', 'ALERT'), 'quota'],
  ['Cyrus', refusal('NO', 'Over quota'), 'quota'],
  ['Dovecot', refusal('NO', 'Permission denied', 'NOPERM'), 'rights'],
  ['Cyrus', refusal('NO', 'Permission denied'), 'rights'],
  ['Dovecot', refusal('NO', "Mailbox doesn't exist: x", 'TRYCREATE'), 'missing'],
  ['Cyrus', refusal('NO', 'Mailbox does not exist'), 'missing'],
  ['any', refusal('NO', 'Mailbox already exists', 'ALREADYEXISTS'), 'exists'],
  ['Courier', refusal('NO', 'RENAME failed: File exists'), 'exists'],
  ['any', refusal('NO', 'No more flags', 'LIMIT'), 'limit'],
  ['any', refusal('NO', 'Too big', 'TOOBIG'), 'size'],
  ['Dovecot', refusal('NO', 'Some of the requested messages no longer exist.', 'EXPUNGEISSUED'), 'expunged'],
  ['any', refusal('NO', 'It is Sunday'), 'other'],
])('why %s refuses to change something is told by its code, else by its words (%j)', (_, given, reason) => {
  expect(reasonOf(given)).toBe(reason);
});
