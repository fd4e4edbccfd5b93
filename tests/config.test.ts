import { describe, expect, test } from '@jest/globals';
import { describeSettings, flagOf, readConfig, unknownVariables, variableOf } from '../shared/config.ts';
import { ConfigurationError } from '../shared/configuration-error.ts';

function problemsOf(argv: string[], environment: { [name: string]: string } = {}): readonly string[] {
  try {
    readConfig(argv, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  test('have defaults that clients can live with', () => {
    const config = readConfig([], {});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: null,
      providers: null,
      imap: null,
      log: 'info',
      strict: false,
    });
    expect(config.maxConcurrentRequests).toBeGreaterThanOrEqual(8);
    expect(config.maxObjectsInGet).toBeGreaterThanOrEqual(500);
    expect(config.maxObjectsInSet).toBeGreaterThanOrEqual(500);
    expect(config.maxCallsInRequest).toBeGreaterThanOrEqual(16);
  });

  test('have the same name as a variable and as a flag', () => {
    expect([variableOf('maxObjectsInGet'), flagOf('maxObjectsInGet')]).toEqual([
      'POSTERN_MAX_OBJECTS_IN_GET',
      '--max-objects-in-get',
    ]);
    expect(readConfig([], { POSTERN_PORT: '8081' }).port).toBe(8081);
    expect(readConfig(['--port', '8081'], {}).port).toBe(8081);
    expect(readConfig(['--port=8081'], {}).port).toBe(8081);
    expect(describeSettings()).toContain('--max-objects-in-get');
  });

  test('on the command line beat the environment', () => {
    expect(readConfig(['--log', 'debug'], { POSTERN_LOG: 'error' }).log).toBe('debug');
  });

  test('that are empty in the environment count as absent', () => {
    expect(readConfig([], { POSTERN_PROVIDERS: '' }).providers).toBeNull();
  });

  test.each([
    ['10.0.0.5:993', { host: '10.0.0.5', port: 993, tls: 'implicit' }],
    ['imap.example.com', { host: 'imap.example.com', port: 993, tls: 'implicit' }],
    ['imap.example.com:143', { host: 'imap.example.com', port: 143, tls: 'starttls' }],
    ['imap.example.com,starttls', { host: 'imap.example.com', port: 143, tls: 'starttls' }],
    ['imap.example.com:1993,tls', { host: 'imap.example.com', port: 1993, tls: 'implicit' }],
    ['127.0.0.1:10143', { host: '127.0.0.1', port: 10143, tls: 'plaintext' }],
    ['localhost:10143,starttls', { host: 'localhost', port: 10143, tls: 'starttls' }],
    ['[::1]:10143,plaintext', { host: '::1', port: 10143, tls: 'plaintext' }],
  ])('accept %s as an IMAP server', (text, endpoint) => {
    expect(readConfig(['--imap', text], {}).imap).toEqual({ ...endpoint, ca: null });
  });

  test.each([
    [
      ['--imap', 'imap.example.com:143,plaintext'],
      '--imap "imap.example.com:143,plaintext": plaintext is for this machine only, not for "imap.example.com": use "implicit" or "starttls"',
    ],
    [
      ['--imap', '127.0.0.1.example.com:143,plaintext'],
      '--imap "127.0.0.1.example.com:143,plaintext": plaintext is for this machine only, not for "127.0.0.1.example.com": use "implicit" or "starttls"',
    ],
    [['--imap', 'a b:993'], '--imap "a b:993": expected a host name or address'],
    [['--imap', 'h:99999'], '--imap "h:99999": expected a port from 1 to 65535'],
    [
      ['--imap', 'h:993,ssl'],
      '--imap "h:993,ssl": expected host:port, then optionally ",tls", ",starttls" or ",plaintext"',
    ],
    [['--port', '65536'], '--port "65536": expected a whole number from 0 to 65535'],
    [['--port', '8e3'], '--port "8e3": expected a whole number from 0 to 65535'],
    [['--log', 'loud'], '--log "loud": expected one of debug, info, warn, error, silent'],
    [
      ['--public-url', 'https://example.com/jmap'],
      '--public-url "https://example.com/jmap": expected an origin, without path, query or user',
    ],
    [['--prot', '1'], '--prot: there is no such flag'],
    [['--port'], '--port: its value is missing'],
    [['8080'], '"8080": expected a flag such as --port 8080'],
  ])('refuse %j', (argv, problem) => {
    expect(problemsOf(argv)).toEqual([problem]);
  });

  test('are all checked before anything is refused', () => {
    expect(problemsOf(['--port', 'x'], { POSTERN_LOG: 'loud' })).toHaveLength(2);
  });

  test('that do not exist are found in the environment', () => {
    expect(unknownVariables({ POSTERN_PROVIDER: 'x', POSTERN_PORT: '1', HOME: '/' })).toEqual(['POSTERN_PROVIDER']);
  });
});
