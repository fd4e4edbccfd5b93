import type { ChangesAfterDelivery } from './changes-after-delivery.ts';
import type { ColdConnect } from './cold-connect.ts';
import type { Compared } from './compare.ts';
import type { FarServer } from './far-server.ts';
import type { FirstIndex } from './first-index.ts';
import type { StatePoll } from './state-poll.ts';

export type Figures = {
  readonly messages: number;
  readonly openInbox: Compared;
  readonly fullMessage: Compared;
  readonly keywordSet: Compared;
  readonly changesAfterDelivery: ChangesAfterDelivery;
  readonly statePoll: StatePoll;
  readonly firstIndex: FirstIndex;
  readonly coldConnect: ColdConnect;
  readonly farServer: FarServer;
};

/** The figures as a table. */
export function table(figures: Figures): string {
  const {
    openInbox,
    fullMessage,
    keywordSet,
    changesAfterDelivery: changes,
    statePoll,
    firstIndex,
    coldConnect,
    farServer: far,
  } = figures;
  const { most, fresh } = changes.more;
  const indexing = (name: string, index: FirstIndex['warm']) => {
    return [name, ms(index.ms), ms(firstIndex.wireMs), number(index.ratio), '', ''];
  };
  const rows: (readonly string[])[] = [
    ['', 'Postern', 'raw', 'ratio', 'IMAP commands', 'store units'],
    ['open inbox', ...comparedCells(openInbox)],
    ['full message', ...comparedCells(fullMessage)],
    ['a keyword set, store in memory', ...comparedCells(keywordSet)],
    [
      'changes after a delivery',
      ms(changes.ms),
      '',
      '',
      upTo(changes, most, 'imapCommands'),
      upTo(changes, most, 'storeUnits'),
    ],
    [
      '  in a fresh process',
      ms(fresh.ms),
      '',
      '',
      upTo(changes.fresh, fresh, 'imapCommands'),
      upTo(changes.fresh, fresh, 'storeUnits'),
    ],
    ['state poll', ms(statePoll.ms), '', '', number(statePoll.imapCommands), `${number(statePoll.storeReads)} read`],
    [
      'first index',
      ms(firstIndex.ms),
      ms(firstIndex.wireMs),
      number(firstIndex.ratio),
      number(firstIndex.more.imapCommands),
      number(firstIndex.more.storeUnits),
    ],
    indexing('  in a warm process', firstIndex.warm),
    indexing('  store in memory', firstIndex.storeInMemory),
    indexing('    in a warm process', firstIndex.storeInMemory.warm),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => {
    return row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  });
  return [
    ...lines,
    '',
    `catalog: ${number(firstIndex.bytesPerMessage)} octets for each message; indexing takes up to ${number(firstIndex.peakRssMb)} MB`,
    `cold connect: ${number(coldConnect.roundTrips)} round trips to the login, ${number(coldConnect.more.firstAnswer)} to the first answer`,
    `a server ${far.roundTripMs} ms away, in round trips: open inbox ${number(far.openInbox)}, a word in all mailboxes ${number(far.searchEverywhere)}, 50 messages all over ${number(far.messagesAllOver)}, changes after a delivery ${number(far.changesAfterDelivery)}`,
  ].join('\n');
}

/** The figures as one line of JSON, without what is only for the table. */
export function jsonLine(figures: Figures): string {
  return JSON.stringify(figures, (key, value) => {
    if (key === 'more') return undefined;
    return typeof value === 'number' ? Number(value.toFixed(2)) : value;
  });
}

function comparedCells({ ms: ours, rawMs, ratio, imapCommands, storeUnits }: Compared): string[] {
  return [ms(ours), ms(rawMs), number(ratio), number(imapCommands), number(storeUnits)];
}

type Costs = { readonly imapCommands: number; readonly storeUnits: number };

/** The median, and the dearest sample where it was dearer. */
function upTo(median: Costs, most: Costs, name: keyof Costs): string {
  return most[name] > median[name] ? `${number(median[name])} (${number(most[name])})` : number(median[name]);
}

function ms(value: number): string {
  return `${number(value)} ms`;
}

function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toFixed(2)));
}
