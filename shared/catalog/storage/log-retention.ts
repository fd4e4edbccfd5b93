import type { ChangingType } from '../view.ts';
import { secondsPerDay } from './blocks.ts';
import { changingTypes, type Head } from './head.ts';
import { logDaysMin, logEntriesMax } from './limits.ts';
import type { Logged } from './log.ts';
import { emptyTable, type Table } from './table.ts';

type Versions = Readonly<Record<ChangingType, number>>;
type Logs = { readonly [Type in ChangingType]: Table<number, Logged> };

/** Logs after the oldest part was forgotten, and the oldest versions from which they still tell everything. */
type Retained = { readonly logs: Logs; readonly oldestVersions: Versions };

/** Under a new epoch no older state can be asked about. */
export function emptiedLogs(versions: Versions): Retained {
  return { logs: { Email: emptyTable, Thread: emptyTable, Mailbox: emptyTable }, oldestVersions: versions };
}

/**
 * Forgets blocks of entries that are too old or too many, as far as the roots show them: a block goes whole or not at
 * all. `now`: seconds since the epoch.
 */
export function prunedLogs({ tables, versions, oldestVersions }: Head, now: number): Retained {
  const pruned = (type: ChangingType): { log: Table<number, Logged>; oldestVersion: number } => {
    const { root, buffer } = tables[type];
    let count = root.refs.reduce((sum, ref) => sum + ref.count, 0);
    const refs = [...root.refs];
    for (let ref = refs[0]; ref !== undefined; ref = refs[0]) {
      if (ref.newest >= now - logDaysMin * secondsPerDay && count <= logEntriesMax) break;
      count -= ref.count;
      refs.shift();
    }
    if (refs.length === root.refs.length) return { log: tables[type], oldestVersion: oldestVersions[type] };
    const firstKept = refs[0]?.first ?? [...buffer.keys()].reduce((a, b) => Math.min(a, b), versions[type] + 1);
    return { log: { root: { depth: refs.length === 0 ? 0 : root.depth, refs }, buffer }, oldestVersion: firstKept - 1 };
  };
  const all = changingTypes.map((type) => [type, pruned(type)] as const);
  return {
    logs: Object.fromEntries(all.map(([type, { log }]) => [type, log])) as Logs,
    oldestVersions: Object.fromEntries(all.map(([type, { oldestVersion }]) => [type, oldestVersion])) as Versions,
  };
}
