// Brings a clone to where it can run: npm packages, and Dovecot where a mail server is wanted. Plain JavaScript
// without dependencies, because it runs before there are any. Run directly, it installs the npm packages.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const project = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** What could not be installed; the message says what to do by hand. */
export class NotInstalled extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'NotInstalled';
  }
}

/**
 * Runs `npm ci` when node_modules is not exactly what package-lock.json says.
 *
 * @param {(line: string) => void} [say] takes what is being done
 * @throws {NotInstalled} when npm fails, or this is not the Node that package.json asks for
 */
export function ensureDependencies(say = console.log) {
  checkNode(process.versions.node);
  if (dependenciesMatch()) return;
  say('Installing the npm packages of package-lock.json');
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'];
  const npm = spawnSync('npm', args, { cwd: project, stdio: 'inherit' });
  if (npm.status !== 0) throw new NotInstalled('The npm packages could not be installed. See above, or run: npm ci');
}

/**
 * @param {string} version
 * @throws {NotInstalled} when it is older than package.json asks for
 */
export function checkNode(version) {
  const { engines } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8'));
  const needed = engines.node.replace('>=', '');
  if (!isOlder(version, needed)) return;
  throw new NotInstalled(`Node ${needed} or newer is needed; this is ${version}.`);
}

/** @param {string} version @param {string} other */
function isOlder(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

/** npm records what it installed in node_modules/.package-lock.json, as the last thing it does. */
function dependenciesMatch() {
  const installedFile = path.join(project, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = packagesIn(path.join(project, 'package-lock.json'));
  const installed = packagesIn(installedFile);
  for (const [name, { version, integrity }] of installed) {
    const entry = wanted.get(name);
    if (entry?.version !== version || entry?.integrity !== integrity) return false;
  }
  // Packages for other kinds of machine are in the lock file and optional.
  return [...wanted].every(([name, { optional }]) => name === '' || optional || installed.has(name));
}

/**
 * @param {string} lockFile
 * @returns {Map<string, { version?: string, integrity?: string, optional?: boolean }>}
 */
function packagesIn(lockFile) {
  return new Map(Object.entries(JSON.parse(readFileSync(lockFile, 'utf8')).packages));
}

/** The Debian package of each part of Dovecot that can be asked for, and a file that tells that it is there. */
const dovecotParts = {
  imap: { package: 'dovecot-imapd', file: '/usr/lib/dovecot/imap' },
  sieve: { package: 'dovecot-sieve', file: '/usr/lib/dovecot/modules/lib90_sieve_plugin.so' },
  managesieve: { package: 'dovecot-managesieved', file: '/usr/lib/dovecot/managesieve' },
  lmtp: { package: 'dovecot-lmtpd', file: '/usr/lib/dovecot/lmtp' },
};

/**
 * Installs the named parts of Dovecot with apt-get when they are missing and we are root or sudo asks no password.
 * No service of the system is started or enabled. What is only wanted is gone without where that is not possible.
 *
 * @param {{ parts?: readonly (keyof typeof dovecotParts)[], wanted?: readonly (keyof typeof dovecotParts)[], say?: (line: string) => void }} [options]
 * @throws {NotInstalled} when that is not possible; the message names the command to run
 */
export function ensureDovecot({ parts = ['imap'], wanted = [], say = console.log } = {}) {
  ensurePackages(missingPackages(parts), say);
  const others = missingPackages(wanted);
  try {
    ensurePackages(others, say);
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    say(`Going without ${others.join(', ')}, which cannot be installed here`);
  }
  const version = spawnSync('/usr/sbin/dovecot', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  if (!version.startsWith('2.3.')) {
    throw new NotInstalled(`Dovecot 2.3 is needed (Debian 12 has it); this is Dovecot "${version.trim()}"`);
  }
}

/** @param {readonly (keyof typeof dovecotParts)[]} parts */
function missingPackages(parts) {
  return parts
    .map((part) => dovecotParts[part])
    .filter(({ file }) => !existsSync(file))
    .map((part) => part.package);
}

/**
 * @param {readonly string[]} packages
 * @param {(line: string) => void} say
 */
function ensurePackages(packages, say) {
  if (packages.length === 0) return;
  installDebianPackages(packages, say);
  disableService('dovecot');
}

/**
 * @param {readonly string[]} packages
 * @param {(line: string) => void} say
 */
function installDebianPackages(packages, say) {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const byHand = `Run this, then try again:\n  sudo apt-get update && sudo ${command}`;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new NotInstalled(
      `${packages.join(', ')} is needed. Install Dovecot 2.3 as this system does that, then try again`,
    );
  }
  const asRoot = rootCommand();
  if (!asRoot) throw new NotInstalled(`${packages.join(', ')} is needed, and installing it needs root. ${byHand}`);
  say(`Installing with apt-get: ${packages.join(' ')}`);
  const [program, ...args] = [...asRoot, 'sh', '-c', aptScript, 'install', ...packages];
  const apt = spawnSync(/** @type {string} */ (program), args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (apt.status === 0) return;
  throw new NotInstalled(`${apt.stdout}${apt.stderr}\n${packages.join(', ')} could not be installed. ${byHand}`);
}

/** The package lists are only fetched when there is no other way. A policy file keeps services from being started. */
const aptScript = `
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
install() { apt-get install -y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 "$@"; }
install "$@" || { apt-get update -qq && install "$@"; }
`;

/**
 * Fetches the system's package lists.
 *
 * @throws {NotInstalled} when that is not possible; the message names the command to run
 */
export function updatePackageLists() {
  const [program, ...args] = [...(rootCommand() ?? []), 'apt-get', 'update', '-q'];
  if (spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0) return;
  throw new NotInstalled('The package lists could not be fetched. Run this, then try again:\n  sudo apt-get update');
}

/** @param {string} name */
function disableService(name) {
  if (!existsSync('/run/systemd/system')) return;
  const [program, ...args] = [...(rootCommand() ?? []), 'systemctl', 'disable', '--quiet', `${name}.service`];
  spawnSync(/** @type {string} */ (program), args, { stdio: 'ignore' });
}

/**
 * What to put before a command so that it runs as root; undefined when that is not possible without a password.
 *
 * @returns {string[] | undefined}
 */
function rootCommand() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    ensureDependencies();
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
