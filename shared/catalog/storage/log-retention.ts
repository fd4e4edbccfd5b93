import type { ChangingType } from '../view.ts';
import { secondsPerDay } from './blocks.ts';
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

/** Forgets blocks of entries that are too old or too many, as far as the roots show them; a block goes whole or not at all. */
export function prunedLogs(logs: Logs, versions: Versions, oldestVersions: Versions, now: number): Retained {
  const pruned = (type: ChangingType): { log: Table<number, Logged>; oldest: number } => {
    const { root, buffer } = logs[type];
    let count = root.refs.reduce((sum, ref) => sum + ref.count, 0);
    const kept = root.refs.findIndex((ref) => {
      if (ref.newest >= now - logDaysMin * secondsPerDay && count <= logEntriesMax) return true;
      count -= ref.count;
      return false;
    });
    if (kept === 0 || root.refs.length === 0) return { log: logs[type], oldest: oldestVersions[type] };
    const refs = kept < 0 ? [] : root.refs.slice(kept);
    const oldest = (refs[0]?.first ?? [...buffer.keys()].reduce((a, b) => Math.min(a, b), versions[type] + 1)) - 1;
    return { log: { root: { depth: refs.length === 0 ? 0 : root.depth, refs }, buffer }, oldest };
  };
  const [email, thread, mailbox] = [pruned('Email'), pruned('Thread'), pruned('Mailbox')];
  return {
    logs: { Email: email.log, Thread: thread.log, Mailbox: mailbox.log },
    oldestVersions: { Email: email.oldest, Thread: thread.oldest, Mailbox: mailbox.oldest },
  };
}
