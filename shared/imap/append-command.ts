import { Buffer } from 'node:buffer';
import type { AppendPiece, NewMessage } from '../methods/Email/mail.ts';
import {
  atom,
  type CommandPart,
  compileArguments,
  type ImapArgument,
  type LiteralMode,
  list,
  mailbox,
} from './arguments.ts';
import { messagePath } from './message-urls.ts';

/** A longer literal is announced and waits for the server, which may not want it (RFC 7888 §5). */
const unannouncedOctetsMax = 4_096;

/**
 * APPEND (RFC 9051 §6.3.12) of a message in pieces, one literal; with stored pieces among them, CATENATE (RFC 4469), which has the server
 * take them from where they are. `wireName`: the mailbox as `encodeName` gives it.
 */
export function compileAppend(
  tag: string,
  wireName: string,
  { flags, receivedAt, pieces }: Pick<NewMessage, 'flags' | 'receivedAt' | 'pieces'>,
  literals: LiteralMode,
): CommandPart[] {
  const parameters: ImapArgument[] = [mailbox(wireName)];
  if (flags.length > 0) parameters.push(list(...flags.map(atom)));
  parameters.push({ type: 'STRING', value: dateTime(receivedAt) });
  const done: CommandPart[] = [];
  const started = compileArguments(tag, 'APPEND', parameters, literals);
  let current: CommandPart[number][] = [started.pop() ?? Buffer.alloc(0)];
  done.push(...started.map((part) => [part]));

  const text = (octets: string) => current.push(Buffer.from(octets, 'latin1'));
  const literal = (octets: readonly AppendPiece[]) => {
    const size = octets.reduce((sum, piece) => sum + sizeOf(piece), 0);
    const isUnannounced = literals !== 'synchronizing' && size <= unannouncedOctetsMax;
    text(`{${size}${isUnannounced ? '+' : ''}}\r\n`);
    if (!isUnannounced) {
      done.push(current);
      current = [];
    }
    for (const piece of octets) current.push(...octetsOf(piece));
  };

  const runs = runsOf(pieces);
  if (runs.every(({ url }) => url === null)) {
    text(' ');
    literal(pieces);
  } else {
    text(' CATENATE (');
    for (const [index, { url, octets }] of runs.entries()) {
      if (index > 0) text(' ');
      text(url === null ? 'TEXT ' : `URL ${quoted(url)}`);
      if (url === null) literal(octets);
    }
    text(')');
  }
  text('\r\n');
  return [...done, current];
}

/** Stored pieces by their URLs, and what lies between them. */
type Run = { readonly url: string | null; readonly octets: AppendPiece[] };

function runsOf(pieces: readonly AppendPiece[]): Run[] {
  const runs: Run[] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    if (piece.kind === 'stored') runs.push({ url: messagePath(piece.place, piece.section), octets: [] });
    else if (last?.url === null) last.octets.push(piece);
    else runs.push({ url: null, octets: [piece] });
  }
  return runs;
}

/** A URL has neither quotes nor backslashes, nor anything beyond US-ASCII. */
function quoted(url: string): string {
  if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(url)) throw new Error(`Not a URL "${url}"`);
  return `"${url}"`;
}

function sizeOf(piece: AppendPiece): number {
  if (piece.kind === 'stream') return piece.size;
  return piece.kind === 'octets' ? piece.octets.byteLength : 0;
}

function octetsOf(piece: AppendPiece): CommandPart {
  if (piece.kind === 'octets')
    return [Buffer.from(piece.octets.buffer, piece.octets.byteOffset, piece.octets.byteLength)];
  if (piece.kind === 'stored') throw new Error('What is stored is not sent');
  return [{ size: piece.size, open: piece.open }];
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Seconds since the epoch as a `date-time`, in UTC. */
function dateTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
