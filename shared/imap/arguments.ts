import { Buffer } from 'node:buffer';
import compile from 'imapflow/lib/handler/imap-compiler.js';
import type { UidRanges } from '../catalog/source.ts';
import { imapLimits } from './limits.ts';

/**
 * One argument of a command. Text of others reaches the wire only through these, never by joining strings: imapflow's
 * compiler quotes, counts literals and refuses line breaks in everything else.
 */
export type ImapArgument =
  | {
      readonly type: 'ATOM';
      readonly value: string;
      readonly section?: readonly ImapArgument[];
      readonly partial?: readonly number[];
    }
  | { readonly type: 'STRING'; readonly value: string; readonly sensitive?: boolean }
  | { readonly type: 'LITERAL'; readonly value: Buffer; readonly sensitive?: boolean }
  | { readonly type: 'SEQUENCE'; readonly value: string }
  | readonly ImapArgument[];

/** How literals may be sent (RFC 7888): waiting for the server each time, or not. */
export type LiteralMode = 'synchronizing' | 'minus' | 'plus';

/** Octets that are had only while they are sent, exactly `size` of them. */
export type OctetSource = {
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
};

/** What is sent of a command without waiting for the server. */
export type CommandPart = readonly (Buffer | OctetSource)[];

/** A command with its tag as the octets to send: after each part but the last the server's continuation is awaited. */
export function compileCommand(
  tag: string,
  command: string,
  parameters: readonly ImapArgument[],
  literals: LiteralMode,
): Buffer[] {
  const parts = compileArguments(tag, command, parameters, literals);
  const last = parts.pop() ?? Buffer.alloc(0);
  return [...parts, Buffer.concat([last, Buffer.from('\r\n')])];
}

/** The same without the end of the line, for a command that goes on. */
export function compileArguments(
  tag: string,
  command: string,
  parameters: readonly ImapArgument[],
  literals: LiteralMode,
): Buffer[] {
  return compile(
    { tag, command, attributes: parameters.map(toNode) },
    { asArray: true, literalPlus: literals === 'plus', literalMinus: literals === 'minus' },
  );
}

/** A word that stands for itself. Throws where the characters cannot: that is a fault of the caller, not of a user. */
export function atom(word: string): ImapArgument {
  if (!/^\\?[^\x00-\x20\x7f-\uffff(){%*"\\\]]+$/.test(word)) throw new Error(`Not an atom "${word}"`);
  return { type: 'ATOM', value: word };
}

/** Any text or octets: quoted where that is possible, else a literal. NUL can be in neither (RFC 9051 §4.3). */
export function string(value: string | Buffer): ImapArgument {
  const octets = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const text = octets.toString('latin1');
  if (text.includes('\0')) throw new Error('NUL cannot be sent to an IMAP server');
  return /^[\x20-\x7e]{0,1000}$/.test(text) ? { type: 'STRING', value: text } : { type: 'LITERAL', value: octets };
}

/** A mailbox name as `encodeName` gives it (octets as latin1). */
export function mailbox(wireName: string): ImapArgument {
  return string(Buffer.from(wireName, 'latin1'));
}

export function list(...members: ImapArgument[]): ImapArgument {
  return members;
}

export function number(value: number): ImapArgument {
  return { type: 'SEQUENCE', value: wholeNumber(value) };
}

/** `BODY.PEEK[section]<from.count>`. */
export function bodyPeek(section: readonly ImapArgument[], partial?: { from: number; count: number }): ImapArgument {
  const item = { type: 'ATOM', value: 'BODY.PEEK', section } as const;
  return partial ? { ...item, partial: [partial.from, partial.count] } : item;
}

/** `1:5,7`. Throws on an empty set. */
export function uidSet(ranges: UidRanges | '*'): ImapArgument {
  if (ranges === '*') return { type: 'SEQUENCE', value: ranges };
  const value = ranges.map(([first, last]) =>
    first === last ? wholeNumber(first) : `${wholeNumber(first)}:${wholeNumber(last)}`,
  );
  return { type: 'SEQUENCE', value: value.join(',') };
}

/** Cuts ranges into sets that each fit into one command line and name at most `uidsMax` UIDs. */
export function cutUidSet(ranges: UidRanges, uidsMax: number): UidRanges[] {
  return [...uidSetsOf(ranges, () => uidsMax)];
}

/** The same one after the other; how many UIDs one may name is asked when its turn comes. */
export function* uidSetsOf(ranges: UidRanges, uidsMaxNow: () => number): Generator<UidRanges, void> {
  let set: [number, number][] = [];
  let uids = 0;
  let octets = 0;
  let uidsMax = ranges.length > 0 ? uidsMaxNow() : 0;
  for (let [first, last] of ranges) {
    while (first <= last) {
      if (uids >= uidsMax || octets >= imapLimits.commandLineOctetsMax) {
        yield set;
        set = [];
        uids = 0;
        octets = 0;
        uidsMax = uidsMaxNow();
      }
      const end = Math.min(last, first + (uidsMax - uids) - 1);
      set.push([first, end]);
      uids += end - first + 1;
      octets += (first === end ? String(first) : `${first}:${end}`).length + 1;
      first = end + 1;
    }
  }
  if (set.length > 0) yield set;
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`Not a number for IMAP "${value}"`);
  return String(value);
}

type CompileNode = Parameters<typeof compile>[0]['attributes'];

function toNode(argument: ImapArgument): CompileNode {
  return argument as CompileNode;
}
