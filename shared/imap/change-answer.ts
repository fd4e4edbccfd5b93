import type { MailboxVector } from '../catalog/mailbox.ts';
import type { UidRanges } from '../catalog/source.ts';
import { flagsOf } from './appearance.ts';
import { modseqOf } from './examine-answer.ts';
import { fetchItem, fetchRow } from './fetch-row.ts';
import { type ImapValue, listOf, numberOf, textOf } from './response.ts';
import { clipRanges, countUids, outside, parseUidRanges, uidsIn } from './uid-ranges.ts';

/** COPYUID (RFC 4315 §3): the UIDVALIDITY of the target, and UIDs there by those here. */
export type CopiedUids = { readonly uidValidity: number; readonly uids: ReadonlyMap<number, number> };

/** Gathers the responses to a command that changes the messages of these UIDs in the selected mailbox. */
export class ChangeAnswer {
  /** Flags now, of messages whose flags the server told. */
  readonly flags = new Map<number, readonly string[]>();
  /** UIDs that are gone. */
  readonly gone = new Set<number>();
  /** Whether the server told that anything is gone, by whatever name. */
  hasLost = false;
  copied: CopiedUids | null = null;
  /** UIDs that a conditional STORE passed over, for somebody else has changed them (RFC 7162 §3.1.3). */
  readonly modified = new Set<number>();
  readonly #asked: UidRanges;
  readonly #modseqs = new Set<string>();
  /** Something was told that is not about the messages asked for. */
  #isDisturbed = false;

  constructor(asked: UidRanges) {
    this.#asked = asked;
  }

  get uidsAsked(): number {
    return countUids(this.#asked);
  }

  take(name: string, count: number | null, values: readonly ImapValue[]): void {
    if (name === 'FETCH') this.#takeRow(count, values);
    if (name === 'EXPUNGE') this.#isDisturbed = true;
    this.hasLost ||= name === 'EXPUNGE' || name === 'VANISHED';
    if (name !== 'VANISHED') return;
    const ranges = parseUidRanges(textOf(values.at(-1)) ?? '') ?? [];
    const ours = this.#oursIn(ranges);
    for (const uid of uidsIn(ours, this.uidsAsked)) this.gone.add(uid);
    if (countUids(ours) < countUids(ranges)) this.#isDisturbed = true;
  }

  takeCode(code: string, values: readonly ImapValue[]): void {
    if (code === 'COPYUID') this.copied = this.#copiedUids(values);
    if (code === 'MODIFIED') {
      const ranges = parseUidRanges(textOf(values[0]) ?? '') ?? [];
      for (const uid of uidsIn(this.#oursIn(ranges), this.uidsAsked)) this.modified.add(uid);
    }
    const modseq = code === 'HIGHESTMODSEQ' ? modseqOf(values[0]) : null;
    if (modseq !== null) this.#modseqs.add(modseq);
  }

  /**
   * The mailbox after the command, when it was as in `before` and nothing but the command changed it since: each change has a
   * mod-sequence of its own (RFC 7162 §3.1), so between two numbers in a row nothing can have happened. Else null.
   */
  vectorAfter(before: MailboxVector): MailboxVector | null {
    const [modseq, ...others] = this.#modseqs;
    if (this.#isDisturbed || before.highestModseq === null || others.length > 0) return null;
    if (modseq === undefined) return this.gone.size === 0 && this.flags.size === 0 ? before : null;
    if (BigInt(modseq) !== BigInt(before.highestModseq) + 1n) return null;
    return { ...before, highestModseq: modseq, messages: before.messages - this.gone.size };
  }

  #oursIn(ranges: UidRanges): UidRanges {
    return this.#asked.flatMap(([first, last]) => clipRanges(ranges, first, last));
  }

  #takeRow(count: number | null, values: readonly ImapValue[]): void {
    const row = fetchRow({ kind: 'data', number: count, name: 'FETCH', values });
    if (row === null || outside([row.uid], this.#asked).length > 0) {
      this.#isDisturbed = true;
      return;
    }
    const flags = fetchItem(row.items, 'FLAGS');
    if (flags !== undefined) this.flags.set(row.uid, flagsOf(flags));
    const modseq = modseqOf(listOf(fetchItem(row.items, 'MODSEQ'))[0]);
    if (modseq !== null) this.#modseqs.add(modseq);
  }

  /** null for what is none: sets of different length, or that name what nobody asked to copy. */
  #copiedUids(values: readonly ImapValue[]): CopiedUids | null {
    const uidValidity = numberOf(values[0]);
    const max = this.uidsAsked + 1;
    const from = uidsInOrder(textOf(values[1]) ?? '', max);
    const to = uidsInOrder(textOf(values[2]) ?? '', max);
    if (uidValidity === null || from.length !== to.length || from.length >= max) return null;
    if (
      outside(
        [...from].sort((a, b) => a - b),
        this.#asked,
      ).length > 0
    )
      return null;
    const earlier = this.copied?.uidValidity === uidValidity ? this.copied.uids : [];
    return { uidValidity, uids: new Map([...earlier, ...from.map((uid, index) => [uid, to[index] ?? 0] as const)]) };
  }
}

/** The UIDs of a `uid-set` in the order in which it names them (RFC 4315 §4: `4:2` is `2:4`), at most `max`; what is none has none. */
function uidsInOrder(text: string, max: number): number[] {
  const uids: number[] = [];
  for (const element of text.split(',')) {
    const ranges = parseUidRanges(element);
    if (ranges === null) return [];
    uids.push(...uidsIn(ranges, max - uids.length));
  }
  return uids;
}
