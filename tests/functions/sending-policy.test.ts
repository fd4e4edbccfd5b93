import { expect, test } from '@jest/globals';
import { sendingPolicyOf } from '../../functions/sending/policy.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { singleProvider } from '../../shared/providers.ts';

test.each([
  {
    username: 'Anna@Example.COM',
    user: 'Anna@example.com',
    host: 'imap.example.com',
    domain: null,
    address: 'Anna@example.com',
  },
  { username: ' anna@example.com ', user: 'anna', host: 'imap.example.com', domain: null, address: 'anna@example.com' },
  { username: 'anna', user: 'anna', host: 'imap.example.com', domain: null, address: 'anna@imap.example.com' },
  { username: 'anna', user: 'anna', host: 'imap.example.com', domain: 'example.org', address: 'anna@example.org' },
  { username: 'anna', user: 'anna', host: '127.0.0.1', domain: null, address: 'anna@[127.0.0.1]' },
  { username: 'anna', user: 'anna', host: '::1', domain: null, address: 'anna@[ipv6:::1]' },
])('"$username" on $host sends from $address', ({ username, user, host, domain, address }) => {
  const plain = singleProvider('p', { imap: { host, port: 993, tls: 'implicit', ca: null }, smtp: null, sieve: null });
  const alsoFrom = ['{local}+*@example.com', '*@example.net'];
  const provider = { ...plain, sending: { ...plain.sending, domain, alsoFrom } };
  const credential = { kind: 'password', user, password: 'x' } as const;
  const policy = sendingPolicyOf({ username, accountId: 'a' as Id, provider, credential });
  expect(policy).toEqual({ address, alsoFrom: [`${address.split('@')[0]}+*@example.com`, '*@example.net'] });
});
