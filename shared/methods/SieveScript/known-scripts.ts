import { createHash } from 'node:crypto';
import type { Id, State } from '../../jmap/scalars.ts';
import type { RecordKind } from '../../records/account-records.ts';
import { scriptBlobId } from '../Blob/script-blob.ts';
import type { SieveScript, SieveScriptPorts } from './record.ts';
import type { Script } from './scripts.ts';

/** A script as the mail server keeps it, with its ids. */
export type KnownScript = SieveScript & { readonly name: string; readonly octets: Uint8Array };

/**
 * Names that scripts got from us, by the id that they have from their name before: a ManageSieve server knows scripts by
 * nothing else. A record whose script is gone does no harm.
 */
export const renamedScripts: RecordKind<{ name: string }> = { name: 'SieveScript' };

/** The scripts of the account at this moment. */
export async function knownScripts({ scripts, records }: SieveScriptPorts): Promise<KnownScript[]> {
  const [kept, { records: renamed }] = await Promise.all([scripts.readAll(), records.view(renamedScripts)]);
  return identified(kept, renamed);
}

/** The scripts with their ids: that of the record which names a script, else one that follows from its name. */
export function identified(scripts: readonly Script[], renamed: ReadonlyMap<Id, { name: string }>): KnownScript[] {
  const idsByName = new Map([...renamed].map(([id, { name }]) => [name, id]));
  const named = new Set(scripts.map(({ name }) => name).filter((name) => idsByName.has(name)));
  const taken = new Set([...named].map((name) => idsByName.get(name)));
  return scripts.map(({ name, isActive, octets }) => {
    const id = named.has(name) ? idsByName.get(name) : undefined;
    return { id: id ?? freeId(name, taken), name, isActive, blobId: scriptBlobId(octets), octets };
  });
}

/** The state follows from what there is: the same scripts, the same state. */
export function scriptsState(scripts: readonly KnownScript[]): State {
  const traces = scripts.map(({ id, name, isActive, blobId }) => JSON.stringify([id, name, isActive, blobId])).sort();
  return createHash('sha256').update(traces.join('\n')).digest('base64url').slice(0, 20) as State;
}

/** The id that a name gives to its script, unless another has it from the time before it was renamed. */
export function freeId(name: string, taken: ReadonlySet<Id | undefined>): Id {
  for (let n = 0; ; n++) {
    const digest = createHash('sha256')
      .update(JSON.stringify(n === 0 ? [name] : [name, n]))
      .digest('hex');
    const id = `s${digest.slice(0, 20)}` as Id;
    if (!taken.has(id)) return id;
  }
}
