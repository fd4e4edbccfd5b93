// Runs the tests: node tests/run.mjs [--check] [arguments of jest]
//
// Installs what is missing first. --check looks at types and style before, each counting as one test. The last line
// is "N passed, N failed", alone on its line; the exit code is 0 when nothing failed.

import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies, NotInstalled } from '../functions/local/install.mjs';

const project = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');
const jestArguments = process.argv.slice(2).filter((argument) => argument !== '--check');

const total = { passed: 0, failed: 0 };
try {
  ensureDependencies();
  if (check) {
    count(runTool('Types', 'typescript/bin/tsc', ['--noEmit']));
    // By name, because biome takes its own configuration for another project's when it comes upon it.
    const rooms = ['functions', 'infra', 'shared', 'tests'];
    count(runTool('Style', '@biomejs/biome/bin/biome', ['check', '--config-path=.config', ...rooms]));
  }
  await prepareServers();
  count(await runJest(jestArguments));
} catch (error) {
  if (!(error instanceof NotInstalled)) throw error;
  console.error(error.message);
  total.failed += 1;
}
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);

/** @param {{ passed: number, failed: number }} counted */
function count({ passed, failed }) {
  total.passed += passed;
  total.failed += failed;
}

/**
 * @param {string} title
 * @param {string} program below node_modules
 * @param {string[]} args
 */
function runTool(title, program, args) {
  console.log(`${title}: ${path.basename(program)} ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [path.join('node_modules', program), ...args], {
    cwd: project,
    stdio: 'inherit',
  });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function prepareServers() {
  const { tsImport } = await import('tsx/esm/api');
  const { installer } = await import('./servers/installer.mjs');
  const keeper = await tsImport('./servers/keeper.ts', import.meta.url);
  try {
    await keeper.prepareServers(installer);
  } catch (error) {
    // The tests that need the server fail, the others tell what they know.
    console.error(error.message);
  }
}

/**
 * @param {string[]} args
 * @returns {Promise<{ passed: number, failed: number }>}
 */
function runJest(args) {
  const jest = path.join(project, 'node_modules/jest/bin/jest.js');
  // Last, because jest takes every word after --reporters for a reporter.
  const reporters = ['--reporters=default', `--reporters=${path.join(project, 'tests/counting-reporter.mjs')}`];
  const child = spawn(process.execPath, ['--experimental-vm-modules', jest, ...args, ...reporters], {
    cwd: project,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve) => {
    let counted = { passed: 0, failed: 0 };
    child.on('message', (message) => {
      counted = /** @type {typeof counted} */ (message);
    });
    // Jest also fails without a failed test, when it finds none or cannot read its configuration.
    child.on('close', (code) => resolve(code !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted));
  });
}
