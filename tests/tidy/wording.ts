import type { Repository } from './repository.ts';
import { rfcSections } from './rfc-sections.ts';

/** A pattern that must not be in some files; `where` says in which, `code` leaves comments out of it. */
type Ban = {
  readonly what: string;
  readonly pattern: RegExp;
  readonly where: (file: string) => boolean;
  readonly code?: true;
};

const isSource = (file: string) => /\.(?:ts|mjs)$/.test(file);
const isProduct = (file: string) => isSource(file) && !file.startsWith('tests/');
const mayTellTime = /^(?:functions|infra|tests|shared\/(?:imap|smtp|sieve|aws|webpush))\//;
/** Made of halves, so that this file does not hold what it forbids. */
const unfinished = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'for' + ' now'].join('|')})\\b`);
const machinePath = new RegExp(`(?:^|[\\s'"\`(=])/(?:${['home', 'Users', 'work', 'farm'].join('|')})/`);

const bans: readonly Ban[] = [
  {
    what: 'the environment is read in shared/config.ts only',
    pattern: /\bprocess\.env\b|\bprocess\['env'\]/,
    where: (file) => isProduct(file) && file !== 'shared/config.ts',
    code: true,
  },
  {
    what: 'the clock, timers and randomness come in as arguments',
    pattern:
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bhrtime\b|\brandom(?:Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b|\bset(?:Timeout|Interval|Immediate)\b/,
    where: (file) => isSource(file) && !mayTellTime.test(file),
    code: true,
  },
  {
    what: 'the compiler is not silenced',
    pattern: /\bas (?:any|never)\b/,
    where: isSource,
    code: true,
  },
  { what: 'the compiler is not silenced', pattern: /@ts-(?:ignore|expect-error|nocheck)/, where: isSource },
  {
    what: 'names are exported, not defaults',
    pattern: /^export default\b/m,
    where: (file) => /\.ts$/.test(file),
    code: true,
  },
  {
    what: 'CLOSE, a bare EXPUNGE and what sends them expunge messages of other clients',
    pattern: /\bmailbox(?:Close|Delete)\b|['"`]CLOSE['"`]|(?:atom|command|exec|run|send|start)\w*\(\s*['"`]EXPUNGE\b/,
    where: (file) => isProduct(file) && file.startsWith('shared/imap/'),
    code: true,
  },
  { what: 'unfinished work is finished or told in docs', pattern: unfinished, where: () => true },
  { what: 'no path of one machine', pattern: machinePath, where: () => true },
  {
    what: 'every test runs',
    pattern: /\b(?:test|describe|it)\.(?:only|skip)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\(/,
    where: (file) => file.startsWith('tests/') && !file.startsWith('tests/tidy'),
    code: true,
  },
];

/** Lines that hold what is banned. */
export function bannedWords(repository: Repository): string[] {
  const violations: string[] = [];
  for (const { what, pattern, where, code } of bans) {
    for (const [file, text] of repository) {
      if (!where(file)) continue;
      const at = pattern.exec(code ? withoutComments(text) : text);
      if (at !== null) violations.push(`${file}: ${JSON.stringify(at[0].trim())}: ${what}`);
    }
  }
  return violations;
}

const drawers = /^(?:utils?|helpers?|common|misc|libs?)$/;

/** Files and folders whose name says nothing. */
export function emptyNames(repository: Repository): string[] {
  return [...repository.keys()]
    .filter((file) => file.split('/').some((segment) => segment.split(/[.-]/).some((word) => drawers.test(word))))
    .map((file) => `${file}: says nothing about what it holds`);
}

/** Method files, `shared/methods/<Type>/<verb>.ts`, that do not open with their name and the section that has it as title. */
export function methodHeaders(repository: Repository): string[] {
  const methods = new Map(
    Object.entries(rfcSections).map(([section, title]) => [title.replace(/^The | Method$/g, ''), section]),
  );
  const violations: string[] = [];
  for (const [file, text] of repository) {
    const [, name] = /^shared\/methods\/([A-Z]\w*\/\w+)\.ts$/.exec(file) ?? [];
    const [, claimed, section] = /^\/\/ (\w+\/\w+) \((RFC \d+ §[\d.]+)\)\n/.exec(text) ?? [];
    if (name !== undefined && methods.has(name) && claimed === undefined) {
      violations.push(`${file}: does not open with "// ${name} (${methods.get(name)})"`);
    }
    if (claimed === undefined) continue;
    if (name !== undefined && name !== claimed) violations.push(`${file}: opens with the name of ${claimed}`);
    if (methods.get(claimed) !== section) violations.push(`${file}: ${section} is not the section of ${claimed}`);
  }
  return violations;
}

/** Links of Markdown files that lead nowhere in the project. */
export function brokenLinks(repository: Repository): string[] {
  const folders = new Set([...repository.keys()].flatMap((file) => parentsOf(file)));
  const violations: string[] = [];
  for (const [file, text] of repository) {
    if (!file.endsWith('.md')) continue;
    for (const [, link = ''] of text.replace(/```.*?```/gs, '').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [target = '', anchor] = link.split('#');
      const path = target === '' ? file : join(file, target);
      const leads = repository.has(path) || folders.has(path) || path === 'LICENSE';
      const headings = anchor === undefined ? [] : headingsOf(repository.get(path) ?? '');
      if (!leads || (anchor !== undefined && !headings.includes(anchor)))
        violations.push(`${file}: ${link} leads nowhere`);
    }
  }
  return violations;
}

function parentsOf(file: string): string[] {
  const segments = file.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

function join(file: string, target: string): string {
  const segments = file.split('/').slice(0, -1);
  for (const segment of target.replace(/\/$/, '').split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ +(.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** The code without its comments; what looks like one inside a string may go with them. */
function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
