import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { deadFiles, importCycles, importLaw } from './tidy/import-law.ts';
import { planted } from './tidy/planted.ts';
import { type Repository, readRepository } from './tidy/repository.ts';
import { bannedWords, brokenLinks, emptyNames, methodHeaders } from './tidy/wording.ts';

const repository = readRepository(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

describe('the project', () => {
  test.each<[string, (repository: Repository) => string[]]>([
    ['imports only what the rooms allow', importLaw],
    ['has no import cycles', importCycles],
    ['has no dead files', deadFiles],
    ['has no drawers for odds and ends', emptyNames],
    ['names each method by its section', methodHeaders],
    ['has no links that lead nowhere', brokenLinks],
    ['holds nothing that is banned', bannedWords],
  ])('%s', (_, violations) => {
    expect(violations(repository)).toEqual([]);
  });

  test('was read', () => {
    expect(repository.size).toBeGreaterThan(50);
    expect(repository.has('shared/jmap/errors.ts')).toBe(true);
  });
});

describe('a rule finds what breaks it, and lets pass what does not:', () => {
  test.each(planted)('%s', (_, rule, files, violations) => {
    expect(rule(new Map(Object.entries(files)))).toEqual(violations);
  });
});
