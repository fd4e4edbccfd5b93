import type { UidRanges } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import { type FetchRow, fetchRow } from './fetch-row.ts';
import { type ImapValue, listOf, numberOf, textOf } from './response.ts';
import { normalizeRanges, parseUidRanges } from './uid-ranges.ts';

/** What EXAMINE says (RFC 9051 §6.3.3, RFC 7162 §3.2.5). */
export type Examined = {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly exists: number;
  /** Decimal; null under NOMODSEQ and without CONDSTORE. */
  readonly highestModseq: string | null;
  /** With QRESYNC parameters: what is gone, and rows with `FLAGS`. */
  readonly vanished: UidRanges;
  readonly changed: readonly FetchRow[];
};

/** What SELECT says beyond that. */
export type Selected = Examined & {
  /** `READ-ONLY`: nothing can be changed. */
  readonly isReadOnly: boolean;
  /** Flags that can be changed for good, lower case, `\\*` among them where new keywords can be made; null: any. */
  readonly permanentFlags: ReadonlySet<string> | null;
};

/** Gathers the untagged responses to EXAMINE and SELECT. */
export class ExamineAnswer {
  uidNext: number | null = null;
  permanentFlags: ReadonlySet<string> | null = null;
  #uidValidity: number | null = null;
  #exists = 0;
  #highestModseq: string | null = null;
  readonly #vanished: (readonly [number, number])[] = [];
  readonly #changed: FetchRow[] = [];

  take(count: number | null, name: string, values: readonly ImapValue[]): void {
    if (name === 'EXISTS' && count !== null) this.#exists = count;
    else if (name === 'VANISHED') {
      for (const range of parseUidRanges(textOf(values.at(-1)) ?? '') ?? []) this.#vanished.push(range);
    } else if (name === 'FETCH') {
      const row = fetchRow({ kind: 'data', number: count, name, values });
      if (row) this.#changed.push(row);
    }
  }

  takeCode(code: string, values: readonly ImapValue[]): void {
    if (code === 'UIDVALIDITY') this.#uidValidity = numberOf(values[0]);
    else if (code === 'UIDNEXT') this.uidNext = numberOf(values[0]);
    else if (code === 'HIGHESTMODSEQ') this.#highestModseq = modseqOf(values[0]);
    else if (code === 'NOMODSEQ') this.#highestModseq = null;
    else if (code === 'PERMANENTFLAGS')
      this.permanentFlags = new Set(listOf(values[0]).map((flag) => (textOf(flag) ?? '').toLowerCase()));
    // QUIRK: what comes before [CLOSED] belongs to the mailbox that was selected before (RFC 7162 §3.2.11).
    else if (code === 'CLOSED') {
      this.#vanished.length = 0;
      this.#changed.length = 0;
    }
  }

  result(uidNext: number): Examined {
    if (this.#uidValidity === null) throw new Unavailable('The mail server tells no UIDVALIDITY');
    return {
      uidValidity: this.#uidValidity,
      uidNext,
      exists: this.#exists,
      highestModseq: this.#highestModseq,
      vanished: normalizeRanges(this.#vanished),
      changed: this.#changed,
    };
  }
}

/** A mod-sequence (RFC 7162 §7: 63 bits) as decimal digits; null for 0, which stands for none. */
export function modseqOf(value: ImapValue | undefined): string | null {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) ? value : null;
}
