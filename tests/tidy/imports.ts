import path from 'node:path';
import type { Repository } from './repository.ts';

/** One import: of a file of the project (its path), of a package, or of a part of Node. */
export type Import = {
  readonly kind: 'file' | 'package' | 'node';
  readonly name: string;
  /** Nothing of it is left at run time. */
  readonly typesOnly: boolean;
};

const statement =
  /^(?:import|export)\s+(type\s)?([^'";]*?)\s*from\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm;

/** What the source file imports, in whatever way. */
export function importsOf(file: string, text: string): Import[] {
  const imports: Import[] = [];
  for (const [, type, names = '', from, bare, dynamic] of text.matchAll(statement)) {
    const specifier = from ?? bare ?? dynamic ?? '';
    imports.push({ ...resolve(file, specifier), typesOnly: type !== undefined || onlyTypes(names) });
  }
  return imports;
}

/** Every source file with its imports. */
export function importGraph(repository: Repository): Map<string, Import[]> {
  const sources = [...repository].filter(([file]) => /\.(?:ts|mjs)$/.test(file));
  return new Map(sources.map(([file, text]) => [file, importsOf(file, text)]));
}

function resolve(file: string, specifier: string): Pick<Import, 'kind' | 'name'> {
  if (specifier.startsWith('.')) return { kind: 'file', name: path.posix.join(path.posix.dirname(file), specifier) };
  if (specifier.startsWith('node:')) return { kind: 'node', name: specifier };
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const inside = /^\{(.*)\}$/s.exec(names.trim())?.[1];
  return inside?.split(',').every((name) => /^\s*(?:type\s.*)?$/s.test(name)) ?? false;
}
