import { type Import, importGraph } from './imports.ts';
import type { Repository } from './repository.ts';

/** What a room may import besides itself. Prefixes of paths; names of packages; parts of Node. */
type Room = {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly string[] | 'any';
  readonly node?: readonly string[] | 'any';
};

const pure = ['node:buffer', 'node:crypto', 'node:stream', 'node:zlib'];
/** Adapters fill ports: they see the types of the rooms above, and the errors that these contracts name. */
const contracts = ['shared/catalog/source.ts', 'shared/catalog/store.ts', 'shared/records/store.ts', 'shared/vault/'];
const adapter = (...packages: string[]): Room => ({
  values: ['shared/jmap/', 'shared/message/', 'shared/endpoint.ts', 'shared/refusal.ts', ...contracts],
  types: ['shared/catalog/', 'shared/methods/', 'shared/push/'],
  packages,
  node: 'any',
});

/** The table of docs/architecture.md; the longest prefix holds. */
const law: { readonly [prefix: string]: Room } = {
  'shared/jmap/': { values: [] },
  'shared/message/': {
    values: ['shared/jmap/'],
    packages: ['@zone-eu/mailsplit', 'libmime', 'iconv-lite', 'htmlparser2', 'nodemailer'],
    node: pure,
  },
  'shared/catalog/': { values: ['shared/jmap/'], packages: ['lru-cache'], node: pure },
  'shared/vault/': { values: [], node: pure },
  'shared/records/': { values: ['shared/jmap/'], node: pure },
  'shared/methods/': {
    values: ['shared/jmap/', 'shared/message/', 'shared/catalog/', 'shared/records/'],
    node: pure,
  },
  'shared/push/': { values: ['shared/jmap/', 'shared/catalog/'], node: pure },
  'shared/imap/': adapter('imapflow'),
  'shared/smtp/': adapter('nodemailer'),
  'shared/sieve/': adapter(),
  'shared/aws/': adapter(
    '@aws-sdk/client-kms',
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/client-s3',
    '@aws-sdk/client-sqs',
  ),
  'shared/webpush/': adapter('web-push'),
  'shared/': { values: ['shared/jmap/errors.ts'], packages: ['valibot'], node: ['node:url'] },
  'functions/': { values: ['shared/'], packages: 'any', node: 'any' },
  'infra/': {
    values: ['shared/config.ts', 'shared/providers.ts'],
    packages: ['aws-cdk-lib', 'constructs'],
    node: 'any',
  },
  'tests/': { values: ['shared/', 'functions/', 'infra/'], packages: 'any', node: 'any' },
};

/** Imports that the table does not allow. */
export function importLaw(repository: Repository): string[] {
  const violations: string[] = [];
  for (const [file, imports] of importGraph(repository)) {
    const prefix = roomOf(file);
    if (prefix === undefined) violations.push(`${file}: belongs to no room`);
    else
      for (const each of imports) if (!isAllowed(each, prefix)) violations.push(`${file}: may not import ${each.name}`);
  }
  return violations;
}

function roomOf(file: string): string | undefined {
  return Object.keys(law)
    .filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
}

function isAllowed({ kind, name, typesOnly }: Import, prefix: string): boolean {
  const { values, types = [], packages = [], node = [] } = law[prefix] ?? { values: [] };
  switch (kind) {
    case 'node':
      return node === 'any' || node.includes(name);
    case 'package':
      return packages === 'any' || packages.includes(name);
    case 'file':
      if (roomOf(name) === prefix) return true;
      return [...values, ...(typesOnly ? types : [])].some((allowed) => name.startsWith(allowed));
  }
}

/** Files that import each other in a circle, each circle once. Types may refer to one another. */
export function importCycles(repository: Repository): string[] {
  const graph = importGraph(repository);
  const circles: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    state.set(file, 'open');
    path.push(file);
    for (const { kind, name, typesOnly } of graph.get(file) ?? []) {
      if (kind !== 'file' || typesOnly || !graph.has(name)) continue;
      if (state.get(name) === 'open') circles.push([...path.slice(path.indexOf(name)), name].join(' → '));
      else if (!state.has(name)) visit(name);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return circles;
}

/** Where commands, tools and tests begin: files that these texts name by their path, and all tests. */
const settings = ['package.json', 'cdk.json'];
/**
 * What need not be of use to the product yet: the engine is RFC 8620 whole, proven on a toy type, and stand-ins for the
 * world are held to the same tests as what they stand for. Then tests have to lead to it.
 */
const provenByTests = /^shared\/jmap\/|\/memory-store\.ts$/;

/**
 * Source files that nothing leads to. The product must be reached from what is started: a file that only its test uses is
 * dead. A file that is started by its name, as a string, counts as reached by whoever names it.
 */
export function deadFiles(repository: Repository): string[] {
  const graph = importGraph(repository);
  const files = [...graph.keys()].filter((file) => !file.endsWith('.d.ts'));
  const namedIn = (text: string, folder: string) =>
    files.filter((file) => {
      const name = file.startsWith(folder) ? file.slice(folder.length) : file;
      return text.includes(file) || text.includes(`'${name}'`) || text.includes(`'./${name}'`);
    });
  const reachedFrom = (started: readonly string[]): Set<string> => {
    const reached = new Set(started);
    for (const file of reached) {
      for (const { kind, name } of graph.get(file) ?? []) if (kind === 'file' && graph.has(name)) reached.add(name);
      const folder = file.slice(0, file.lastIndexOf('/') + 1);
      for (const named of namedIn(repository.get(file) ?? '', folder)) reached.add(named);
    }
    return reached;
  };
  const commands = settings.flatMap((file) => namedIn(repository.get(file) ?? '', '/'));
  const byCommands = reachedFrom(commands);
  const byTests = reachedFrom([...commands, ...files.filter((file) => file.endsWith('.test.ts'))]);
  return files
    .filter((file) => !(file.startsWith('tests/') || provenByTests.test(file) ? byTests : byCommands).has(file))
    .map((file) => `${file}: nothing leads to it`);
}
