import { describe, expect, test } from '@jest/globals';
import type { User } from '../../functions/http/authenticate.ts';
import { createSessionDescriber } from '../../functions/http/describe-session.ts';
import { sessionUrls } from '../../functions/http/session-urls.ts';
import type { Id } from '../../shared/jmap/scalars.ts';
import { singleProvider, usualSieveOffers } from '../../shared/providers.ts';

const coreUri = 'urn:ietf:params:jmap:core';
const mailUri = 'urn:ietf:params:jmap:mail';
const submissionUri = 'urn:ietf:params:jmap:submission';
const blobUri = 'urn:ietf:params:jmap:blob';
const quotaUri = 'urn:ietf:params:jmap:quota';
const sieveUri = 'urn:ietf:params:jmap:sieve';
const vacationUri = 'urn:ietf:params:jmap:vacationresponse';
const uris = [coreUri, mailUri, blobUri, quotaUri];
const core = {
  maxSizeUpload: 50_000_000,
  maxConcurrentUpload: 4,
  maxSizeRequest: 10_000_000,
  maxConcurrentRequests: 8,
  maxCallsInRequest: 64,
  maxObjectsInGet: 1_000,
  maxObjectsInSet: 1_000,
  collationAlgorithms: ['i;ascii-casemap'],
};
const imap = { host: 'localhost', port: 143, tls: 'plaintext', ca: null } as const;
const alice: User = {
  username: 'Alice@Example.com',
  accountId: 'a1' as Id,
  provider: singleProvider('single', { imap, smtp: null, sieve: null }),
  credential: { kind: 'password', user: 'Alice@example.com', password: 'secret' },
};
const describeSession = (strict: boolean, user = alice, origin = 'https://mail.test', maxDelayedSend = 0) =>
  createSessionDescriber({ core, strict, maxDelayedSend: () => maxDelayedSend })(user, sessionUrls(origin));

describe('the Session', () => {
  test('has every capability in its account and among the primary accounts, core too', () => {
    const session = describeSession(false);
    expect(Object.keys(session.capabilities)).toEqual(uris);
    expect(Object.keys(session.accounts.a1?.accountCapabilities ?? {}).sort()).toEqual([...uris].sort());
    expect(session.primaryAccounts).toEqual(Object.fromEntries(uris.map((uri) => [uri, 'a1'])));
  });

  test('leaves core out of the primary accounts where the operator wants the letter of the RFC', () => {
    expect(describeSession(true).primaryAccounts).toEqual({ [mailUri]: 'a1', [blobUri]: 'a1', [quotaUri]: 'a1' });
  });

  test('repeats the login as it was typed, and never the secret', () => {
    expect(describeSession(false).username).toBe('Alice@Example.com');
    expect(JSON.stringify(describeSession(false))).not.toContain('secret');
  });

  test('tells what Emails can be sorted by, and that they can be changed', () => {
    const account = describeSession(false).accounts.a1;
    expect(account?.isReadOnly).toBe(false);
    expect(account?.accountCapabilities[mailUri]).toMatchObject({
      emailQuerySortOptions: expect.arrayContaining(['receivedAt', 'from', 'subject', 'hasKeyword']),
      ...{ mayCreateTopLevelMailbox: true, maxMailboxDepth: 50, maxSizeMailboxName: 120 },
      maxMailboxesPerEmail: 100,
    });
  });

  test('tells what can be done with blobs', () => {
    const session = describeSession(false);
    expect(session.capabilities[blobUri]).toEqual({});
    expect(session.accounts.a1?.accountCapabilities[blobUri]).toEqual({
      maxSizeBlobSet: 50_000_000,
      maxDataSources: 100,
      supportedTypeNames: ['Mailbox', 'Thread', 'Email'],
      supportedDigestAlgorithms: ['sha-256', 'sha'],
    });
  });

  test('tells of sending where there is a submission server, of what it offers, and how long a message can be held', () => {
    const smtp = { host: 'localhost', port: 25, tls: 'plaintext', ca: null } as const;
    const plain = singleProvider('single', { imap, smtp, sieve: null });
    const provider = { ...plain, sending: { ...plain.sending, extensions: ['DSN'] } };
    const told = (maxDelayedSend: number) => {
      const session = describeSession(false, { ...alice, provider }, 'https://mail.test', maxDelayedSend);
      expect(session.capabilities[submissionUri]).toEqual({});
      expect(session.primaryAccounts[submissionUri]).toBe('a1');
      return session.accounts.a1?.accountCapabilities[submissionUri];
    };
    expect(told(0)).toEqual({ maxDelayedSend: 0, submissionExtensions: { DSN: [] } });
    expect(told(60)).toEqual({ maxDelayedSend: 60, submissionExtensions: { DSN: [], FUTURERELEASE: [] } });
  });

  test('has Sieve and the vacation response where the provider has ManageSieve, and only there', () => {
    const sieve = { host: 'localhost', port: 4190, tls: 'plaintext', ca: null } as const;
    const filtering = { ...alice, provider: singleProvider('single', { imap, smtp: null, sieve }) };
    const { capabilities, accounts, primaryAccounts } = describeSession(false, filtering);
    expect(capabilities).toMatchObject({ [sieveUri]: { implementation: 'ManageSieve' }, [vacationUri]: {} });
    expect(primaryAccounts).toMatchObject({ [sieveUri]: 'a1', [vacationUri]: 'a1' });
    expect(accounts.a1?.isReadOnly).toBe(false);
    expect(accounts.a1?.accountCapabilities).toMatchObject({
      [vacationUri]: {},
      [blobUri]: { supportedTypeNames: ['Mailbox', 'Thread', 'Email', 'SieveScript'] },
      [sieveUri]: {
        maxSizeScriptName: 512,
        maxSizeScript: 1_000_000,
        maxNumberScripts: null,
        maxNumberRedirects: null,
        sieveExtensions: expect.arrayContaining(['fileinto', 'vacation']),
        notificationMethods: ['mailto'],
        externalLists: null,
      },
    });
    const without = describeSession(false);
    for (const known of [without.capabilities, without.accounts.a1?.accountCapabilities, without.primaryAccounts]) {
      expect(known).not.toHaveProperty([sieveUri]);
      expect(known).not.toHaveProperty([vacationUri]);
    }
  });

  test('says of Sieve what the operator says', () => {
    const sieve = { host: 'localhost', port: 4190, tls: 'plaintext', ca: null } as const;
    const provider = singleProvider('single', { imap, smtp: null, sieve });
    const offers = {
      ...usualSieveOffers,
      extensions: ['fileinto', 'extlists'],
      maxSizeScript: 100,
      externalLists: ['urn'],
    };
    const told = { ...alice, provider: { ...provider, sieve: { ...sieve, offers } } };
    expect(describeSession(false, told).accounts.a1?.accountCapabilities[sieveUri]).toMatchObject({
      maxSizeScript: 100,
      sieveExtensions: ['fileinto', 'extlists'],
      notificationMethods: null,
      externalLists: ['urn'],
    });
  });

  test('has a short state that changes when something in it does, and at no other time', () => {
    const { state } = describeSession(false);
    expect(state).toMatch(/^[\w-]{16}$/);
    expect(describeSession(false).state).toBe(state);
    expect(describeSession(true).state).not.toBe(state);
    expect(describeSession(false, alice, 'https://other.test').state).not.toBe(state);
    expect(describeSession(false, { ...alice, accountId: 'a2' as Id }).state).not.toBe(state);
  });
});
