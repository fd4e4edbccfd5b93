import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const project = fileURLToPath(new URL('../..', import.meta.url));

function run(...args: string[]) {
  const { status, stdout } = spawnSync(process.execPath, ['tests/run.mjs', ...args], {
    cwd: project,
    encoding: 'utf8',
  });
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

test('the last line counts the tests that passed, and arguments go to jest', () => {
  const selected = ['tests/local/install', '-t', 'package-lock.json names'];
  expect(run(...selected)).toEqual({ status: 0, lastLine: '1 passed, 0 failed' });
});

test('a selection without tests is a failure', () => {
  expect(run('tests/no/such/file')).toEqual({ status: 1, lastLine: '0 passed, 1 failed' });
});
