import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigurationError } from '../shared/configuration-error.ts';
import { type Provider, parseProviders } from '../shared/providers.ts';

/** Reads the operator's providers file and the certificates beside it. Throws `ConfigurationError` with everything that is wrong. */
export function readProviders(file: string): Provider[] {
  const folder = path.dirname(path.resolve(file));
  return parseProviders(readText(file), (certificates) => readFileSync(path.resolve(folder, certificates), 'utf8'));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError('The providers file cannot be used', [`"${file}": ${(error as Error).message}`]);
  }
}
