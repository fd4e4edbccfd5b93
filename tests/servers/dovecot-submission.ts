import path from 'node:path';
import { type Installer, type Unpacked, unpackedBefore, unpackPackages } from './packages.ts';

export const unpackSubmission = (installer: Installer): Promise<Unpacked> =>
  unpackPackages('dovecot-submission', ['dovecot-submissiond'], installer);

/** The folder of the programs of Dovecot's submission server. */
export async function submissionPrograms(): Promise<string> {
  const { root } = await unpackSubmission(unpackedBefore);
  return path.join(root, 'usr/lib/dovecot');
}
