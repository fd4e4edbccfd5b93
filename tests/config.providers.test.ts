import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../shared/configuration-error.ts';
import { matchLogin, parseProviders, usualSieveOffers } from '../shared/providers.ts';

const imap = { host: 'imap.example.com', port: 993, tls: 'implicit' };
const minimal = { name: 'example', domains: ['example.com'], imap };

function parse(...providers: object[]) {
  return parseProviders(JSON.stringify({ providers }), (file) => {
    if (file === 'missing.pem') throw new Error('there is no such file');
    return `-----BEGIN CERTIFICATE----- ${file}`;
  });
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('the providers file', () => {
  test('needs a name, a domain and an IMAP server; the rest has defaults', () => {
    expect(parse(minimal)).toEqual([
      {
        ...minimal,
        imap: { ...imap, ca: null },
        smtp: null,
        sieve: null,
        auth: ['plain', 'login'],
        login: 'address',
        loginCase: 'exact',
        forbiddenIdentitySchemes: [],
        createRoles: [],
        sending: { domain: null, alsoFrom: [], maxRecipients: 500, extensions: [], savesSent: false },
        quirks: { ignoreCapabilities: [] },
      },
    ]);
  });

  test('names every endpoint, its certificates and what is special about the server', () => {
    const [provider] = parse({
      ...minimal,
      imap: { ...imap, caFile: 'ca.pem' },
      smtp: { host: 'smtp.example.com', port: 587, tls: 'starttls' },
      sieve: { host: '127.0.0.1', port: 4190, tls: 'plaintext' },
      auth: ['oauthbearer', 'plain'],
      login: 'local',
      loginCase: 'insensitive',
      forbiddenIdentitySchemes: ['xguid'],
      createRoles: ['sent', 'trash'],
      sending: {
        domain: 'example.com',
        alsoFrom: ['{local}+*@example.com', '*'],
        extensions: ['dsn'],
        savesSent: true,
      },
      quirks: { ignoreCapabilities: ['qresync'] },
    });
    expect(provider).toMatchObject({
      imap: { ca: '-----BEGIN CERTIFICATE----- ca.pem' },
      smtp: { tls: 'starttls' },
      sieve: { tls: 'plaintext', offers: usualSieveOffers },
      createRoles: ['sent', 'trash'],
      sending: { maxRecipients: 500, extensions: ['DSN'], savesSent: true },
      quirks: { ignoreCapabilities: ['QRESYNC'] },
    });
  });

  test('says what a ManageSieve server offers, as far as it is not the usual', () => {
    const sieve = { host: 'imap.example.com', port: 4190, tls: 'starttls', caFile: 'ca.pem' };
    const offers = {
      implementation: 'Our Sieve 1.0',
      extensions: ['fileinto'],
      maxNumberScripts: 5,
      maxSizeScript: null,
    };
    expect(parse({ ...minimal, sieve: { ...sieve, offers } })[0]?.sieve).toEqual({
      ...{ host: 'imap.example.com', port: 4190, tls: 'starttls', ca: '-----BEGIN CERTIFICATE----- ca.pem' },
      offers: { ...usualSieveOffers, ...offers },
    });
  });

  test.each<[string, object, string]>([
    [
      'an extension that is none',
      { ...minimal, sieve: { ...imap, offers: { extensions: ['a b'] } } },
      '/providers/0/sieve/offers/extensions/0 "a b": expected a word',
    ],
    [
      'a limit below 0',
      { ...minimal, sieve: { ...imap, offers: { maxSizeScript: -1 } } },
      '/providers/0/sieve/offers/maxSizeScript -1: expected 0 or more',
    ],
    [
      'a ManageSieve server elsewhere without TLS',
      { ...minimal, sieve: { ...imap, tls: 'plaintext' } },
      '/providers/0/sieve: plaintext is for this machine only, not for "imap.example.com": use "implicit" or "starttls"',
    ],
    ['a missing member', { name: 'a', domains: ['*'] }, '/providers/0/imap: is missing'],
    ['an unknown member', { ...minimal, impa: imap }, '/providers/0/impa: is not known here'],
    [
      'a nested unknown member',
      { ...minimal, imap: { ...imap, tsl: 'x' } },
      '/providers/0/imap/tsl: is not known here',
    ],
    [
      'a TLS mode of its own',
      { ...minimal, imap: { ...imap, tls: 'ssl' } },
      '/providers/0/imap/tls "ssl": expected "implicit", "starttls" or "plaintext"',
    ],
    [
      'plaintext to another machine',
      { ...minimal, imap: { ...imap, tls: 'plaintext' } },
      '/providers/0/imap: plaintext is for this machine only, not for "imap.example.com": use "implicit" or "starttls"',
    ],
    [
      'a sender that is no address',
      { ...minimal, sending: { alsoFrom: ['example.com'] } },
      '/providers/0/sending/alsoFrom/0 "example.com": expected an address, "*@" and a domain, or "*"',
    ],
    [
      'a sender with a star in its domain',
      { ...minimal, sending: { alsoFrom: ['a@*.com'] } },
      '/providers/0/sending/alsoFrom/0 "a@*.com": expected an address, "*@" and a domain, or "*"',
    ],
    [
      'no recipients at all',
      { ...minimal, sending: { maxRecipients: 0 } },
      '/providers/0/sending/maxRecipients 0: expected 1 to 10000',
    ],
    [
      'a port that is text',
      { ...minimal, imap: { ...imap, port: '993' } },
      '/providers/0/imap/port "993": expected a port from 1 to 65535',
    ],
    [
      'a port of 0',
      { ...minimal, imap: { ...imap, port: 0 } },
      '/providers/0/imap/port 0: expected a port from 1 to 65535',
    ],
    [
      'a host with a path',
      { ...minimal, imap: { ...imap, host: 'a/b' } },
      '/providers/0/imap/host "a/b": expected a host name or address',
    ],
    [
      'a host with a line break',
      { ...minimal, imap: { ...imap, host: 'a\r\nb' } },
      '/providers/0/imap/host "a\\r\\nb": expected a host name or address',
    ],
    [
      'certificates that cannot be read',
      { ...minimal, imap: { ...imap, caFile: 'missing.pem' } },
      '/providers/0/imap/caFile "missing.pem": there is no such file',
    ],
    [
      'a domain with a star inside',
      { ...minimal, domains: ['a.*.com'] },
      '/providers/0/domains/0 "a.*.com": expected a domain, "*." and a domain, or "*"',
    ],
    ['no domain', { ...minimal, domains: [] }, '/providers/0/domains: expected at least one domain'],
    [
      'a name that cannot be part of an id',
      { ...minimal, name: 'My Mail' },
      '/providers/0/name "My Mail": expected lower-case letters, digits and hyphens, at most 63',
    ],
    [
      'an unknown method',
      { ...minimal, auth: ['cram-md5'] },
      '/providers/0/auth/0 "cram-md5": expected "plain", "login", "oauthbearer" or "xoauth2"',
    ],
    [
      'making an inbox',
      { ...minimal, createRoles: ['inbox'] },
      '/providers/0/createRoles/0 "inbox": expected "drafts", "sent", "trash", "junk" or "archive"',
    ],
    [
      'forbidding the digest',
      { ...minimal, forbiddenIdentitySchemes: ['digest'] },
      '/providers/0/forbiddenIdentitySchemes/0 "digest": expected "objectid", "gmail" or "xguid"',
    ],
  ])('refuses %s', (_, provider, problem) => {
    expect(problemsOf(() => parse(provider))).toEqual([problem]);
  });

  test('refuses two providers of one name or one domain', () => {
    expect(problemsOf(() => parse(minimal, minimal))).toEqual([
      '/providers: two providers have the name "example"',
      '/providers: two providers have the domain "example.com"',
    ]);
  });

  test('reports every problem at once', () => {
    expect(problemsOf(() => parse({ ...minimal, login: 'x' }, { ...minimal, auth: [] }))).toHaveLength(2);
  });

  test('that is no JSON is refused, with the text around the mistake', () => {
    const [problem] = problemsOf(() => parseProviders('{\n  "providers": [,]\n}', String));
    expect(problem).toMatch(/^it is not JSON: .*\[,\]/);
  });

  test('that holds no list is refused', () => {
    expect(problemsOf(() => parseProviders('[]', String))).not.toEqual([]);
    expect(problemsOf(() => parse())).toEqual(['/providers: expected at least one provider']);
  });
});

describe('a login', () => {
  const providers = parse(
    { ...minimal, name: 'exact', domains: ['example.com', 'münchen.example'] },
    { ...minimal, name: 'sub', domains: ['*.example.com'] },
    { ...minimal, name: 'deep', domains: ['*.deep.example.com'], login: 'local' },
    { ...minimal, name: 'folded', domains: ['folded.org'], loginCase: 'insensitive' },
    { ...minimal, name: 'rest', domains: ['*'] },
  );

  test.each([
    ['alice@example.com', 'exact', 'alice@example.com'],
    [' Alice@EXAMPLE.com ', 'exact', 'Alice@example.com'],
    ['a@b@example.com', 'exact', 'a@b@example.com'],
    ['alice@münchen.example', 'exact', 'alice@xn--mnchen-3ya.example'],
    ['alice@mail.example.com', 'sub', 'alice@mail.example.com'],
    ['Alice@x.deep.example.com', 'deep', 'Alice'],
    ['Alice@Folded.ORG', 'folded', 'alice@folded.org'],
    ['alice@notexample.com', 'rest', 'alice@notexample.com'],
    ['alice', 'rest', 'alice'],
    ['Jose\u0301@example.com', 'exact', 'Jos\u00e9@example.com'],
  ])('%s goes to the most specific provider', (login, name, user) => {
    const matched = matchLogin(providers, login);
    expect([matched?.provider.name, matched?.user]).toEqual([name, user]);
  });

  test.each([
    [''],
    ['@example.com'],
    ['alice@'],
    ['alice@exa mple.com'],
    ['al\r\nice@example.com'],
    ['a\0@example.com'],
    [`${'a'.repeat(400)}@example.com`],
  ])('%j is none', (login) => {
    expect(matchLogin(providers, login)).toBeNull();
  });

  test('without a domain, or of a foreign one, belongs to nobody unless the operator says so', () => {
    const only = parse(minimal);
    expect(matchLogin(only, 'alice')).toBeNull();
    expect(matchLogin(only, 'alice@example.org')).toBeNull();
    expect(matchLogin(only, 'alice@sub.example.com')).toBeNull();
    expect(matchLogin(parse({ ...minimal, domains: ['*.example.com'] }), 'alice@example.com')).toBeNull();
  });
});
