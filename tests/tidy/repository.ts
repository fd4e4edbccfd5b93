import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** Every text of the project by its path from the root, such as `shared/jmap/errors.ts`. */
export type Repository = ReadonlyMap<string, string>;

const folders = ['docs', 'functions', 'infra', 'shared', 'tests', '.ci', '.config'];
const rootFiles = ['README.md', 'package.json', 'cdk.json', 'tsconfig.json'];
const textFiles = /\.(?:ts|mts|mjs|js|json|md|yml|yaml|sh|txt)$|^[^.]+$/;

/** Input of tests, and what rules are tried on. */
const noTexts = /^tests\/(?:corpus\/|tidy\/planted\.ts$)/;

/** Reads the project at `root`. */
export function readRepository(root: string): Repository {
  const files = new Map<string, string>();
  const read = (file: string) => files.set(file, readFileSync(path.join(root, file), 'utf8'));
  for (const folder of folders.filter((name) => existsSync(path.join(root, name)))) {
    for (const entry of readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${entry}`;
      const isText = textFiles.test(path.basename(entry)) && !noTexts.test(file);
      if (isText && statSync(path.join(root, file)).isFile()) read(file);
    }
  }
  for (const file of rootFiles.filter((name) => existsSync(path.join(root, name)))) read(file);
  return files;
}
