import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readProviders } from '../../functions/read-providers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'postern-providers-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(caFile: string): string {
  const file = path.join(folder, 'providers.json');
  const imap = { host: 'imap.example.com', port: 993, tls: 'implicit', caFile };
  writeFileSync(file, JSON.stringify({ providers: [{ name: 'a', domains: ['*'], imap }] }));
  return file;
}

test('certificates are found beside the providers file, wherever the process was started', () => {
  writeFileSync(path.join(folder, 'ca.pem'), 'PEM');
  expect(readProviders(write('ca.pem'))).toMatchObject([{ imap: { ca: 'PEM' } }]);
});

test('certificates that are not there are reported at their place', () => {
  expect(() => readProviders(write('none.pem'))).toThrow('/providers/0/imap/caFile "none.pem": ENOENT');
});

test('a providers file that is not there is a mistake of configuration', () => {
  expect(() => readProviders(path.join(folder, 'none.json'))).toThrow(/cannot be used:\n {2}".*none\.json": ENOENT/);
});

test('the example in the documentation is one', () => {
  expect(readProviders('docs/providers.example.json')).toMatchObject([{ name: 'example' }]);
});
