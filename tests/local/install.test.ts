import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/** A clone with a lock file, in which "npm" writes down how it was called. */
let clone = '';

beforeEach(async () => {
  clone = await mkdtemp(path.join(tmpdir(), 'postern-clone-'));
  await mkdir(path.join(clone, 'functions/local'), { recursive: true });
  await mkdir(path.join(clone, 'node_modules'));
  await mkdir(path.join(clone, 'bin'));
  const script = fileURLToPath(new URL('../../functions/local/install.mjs', import.meta.url));
  await copyFile(script, path.join(clone, 'functions/local/install.mjs'));
  await writeNpm(0);
  await writeFile(path.join(clone, 'package-lock.json'), JSON.stringify({ packages: locked }));
  await writePackage('20.12');
});

afterEach(() => rm(clone, { recursive: true }));

const locked = {
  '': { name: 'postern', version: '0.1.0' },
  'node_modules/one': { version: '1.0.0', integrity: 'sha512-one' },
  'node_modules/two': { version: '2.0.0', integrity: 'sha512-two' },
  'node_modules/other-machine': { version: '3.0.0', integrity: 'sha512-three', optional: true },
};
const installed = {
  'node_modules/one': { version: '1.0.0', integrity: 'sha512-one' },
  'node_modules/two': { version: '2.0.0', integrity: 'sha512-two' },
};

async function writePackage(node: string): Promise<void> {
  await writeFile(path.join(clone, 'package.json'), JSON.stringify({ engines: { node: `>=${node}` } }));
}

async function writeNpm(exitCode: number): Promise<void> {
  const npm = path.join(clone, 'bin/npm');
  await writeFile(npm, `#!/bin/sh\necho "$PWD: npm $*" >>"${clone}/calls"\nexit ${exitCode}\n`);
  await chmod(npm, 0o755);
}

async function install(record: object | undefined) {
  if (record)
    await writeFile(path.join(clone, 'node_modules/.package-lock.json'), JSON.stringify({ packages: record }));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['functions/local/install.mjs'], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: `${clone}/bin:/usr/bin:/bin` },
  });
  const calls = await readFile(path.join(clone, 'calls'), 'utf8').catch(() => '');
  return { status, stdout, stderr, calls: calls.split('\n').slice(0, -1) };
}

test('nothing is installed when everything is as locked; optional packages may be missing or there', async () => {
  const other = { 'node_modules/other-machine': { version: '3.0.0', integrity: 'sha512-three', optional: true } };
  for (const record of [installed, { ...installed, ...other }]) {
    expect(await install(record)).toEqual({ status: 0, stdout: '', stderr: '', calls: [] });
  }
});

test.each([
  ['nothing is installed', undefined],
  ['a package is missing', { 'node_modules/one': installed['node_modules/one'] }],
  [
    'a package has another version',
    { ...installed, 'node_modules/one': { version: '1.0.1', integrity: 'sha512-one' } },
  ],
  ['a package has other contents', { ...installed, 'node_modules/one': { version: '1.0.0', integrity: 'sha512-x' } }],
  ['a package is there that is not locked', { ...installed, 'node_modules/three': { version: '1.0.0' } }],
])('npm ci runs in the clone, and it is said, when %s', async (_case, record) => {
  const { status, stdout, calls } = await install(record);
  expect(status).toBe(0);
  expect(stdout).toContain('Installing the npm packages');
  expect(calls).toEqual([`${clone}: npm ci --include=dev --no-fund --no-audit --loglevel=error`]);
});

test('when npm fails the exit code says so, and the message says what to run', async () => {
  await writeNpm(1);
  const { status, stderr } = await install(undefined);
  expect(status).toBe(1);
  expect(stderr).toContain('npm ci');
});

test('package-lock.json names every optional package, because npm ci refuses one that does not', async () => {
  const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
  const { packages } = JSON.parse(await readFile(file, 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const names = new Set(Object.keys(packages).map((name) => name.slice(name.lastIndexOf('node_modules/') + 13)));
  const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  expect(optional.length).toBeGreaterThan(0);
  expect(optional.filter((name) => !names.has(name))).toEqual([]);
});

test.each([
  ['99.9', true],
  ['20.9', false],
  ['5.30', false],
])('of Node, %s or newer is asked for (and this is too old: %s)', async (needed, isTooOld) => {
  await writePackage(needed);
  const { status, stderr, calls } = await install(undefined);
  expect([status, calls.length]).toEqual(isTooOld ? [1, 0] : [0, 1]);
  expect(stderr).toBe(isTooOld ? `Node ${needed} or newer is needed; this is ${process.versions.node}.\n` : '');
});
