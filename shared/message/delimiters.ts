import { Buffer } from 'node:buffer';
import { lineEnd } from './lines.ts';

/** A line that begins with `--` and a boundary (RFC 2046 §5.1.1). Offsets into the message. */
export type DelimiterLine = {
  /** Which of the open boundaries it is. */
  readonly index: number;
  readonly isClosing: boolean;
  readonly start: number;
  /** Behind the line break, or the end of the message. */
  readonly end: number;
};

/** RFC 2046 §5.1.1 allows 70; a boundary longer than this is none. */
const boundaryOctetsMax = 1_000;

/** The boundaries that are open at some place of a message, each within the one before it. */
export type Delimiters = {
  /** Adds a boundary as the innermost one; false if it is too long. */
  open(boundary: string): boolean;
  /** Forgets all but the outermost `count`. */
  keep(count: number): void;
  /**
   * The delimiter line that starts at `start`, or null. It is enough that the line begins with a boundary (RFC 2046
   * §5.1.1); of several that fit the longest counts, and the innermost of those that are equal.
   */
  lineAt(bytes: Buffer, start: number): DelimiterLine | null;
  /** The first delimiter line at or behind `from`, which is the start of a line; null if there is none. */
  nextLine(bytes: Buffer, from: number): DelimiterLine | null;
};

/** A state of a trie: what may come next, and which boundaries end here. */
type Node = { readonly next: Map<number, Node>; readonly indices: number[] };

const HYPHEN = 0x2d;
const hyphensOnNewLine = Buffer.from('\n--');

/** Boundaries in a trie, so that a line costs no more where many are open. */
export function openDelimiters(): Delimiters {
  const root = newNode();
  const boundaries: Buffer[] = [];

  const lineAt = (bytes: Buffer, start: number): DelimiterLine | null => {
    if (bytes[start] !== HYPHEN || bytes[start + 1] !== HYPHEN) return null;
    let index: number | undefined;
    let behind = start;
    let at = start + 2;
    for (let node = root.next.get(bytes[at] ?? -1); node; node = node.next.get(bytes[at] ?? -1)) {
      at++;
      if (node.indices.length === 0) continue;
      index = node.indices.at(-1);
      behind = at;
    }
    if (index === undefined) return null;
    const isClosing = bytes[behind] === HYPHEN && bytes[behind + 1] === HYPHEN;
    return { index, isClosing, start, end: lineEnd(bytes, start) };
  };

  return {
    open(boundary) {
      const octets = Buffer.from(boundary);
      if (octets.length > boundaryOctetsMax) return false;
      insert(root, octets, boundaries.push(octets) - 1);
      return true;
    },
    keep(count) {
      for (const octets of boundaries.splice(count).reverse()) remove(root, octets);
    },
    lineAt,
    nextLine(bytes, from) {
      let start = from;
      while (start < bytes.length) {
        const line = lineAt(bytes, start);
        if (line) return line;
        const found = bytes.indexOf(hyphensOnNewLine, start);
        if (found < 0) return null;
        start = found + 1;
      }
      return null;
    },
  };
}

function newNode(): Node {
  return { next: new Map(), indices: [] };
}

function insert(root: Node, octets: Buffer, index: number): void {
  let node = root;
  for (const octet of octets) {
    const next = node.next.get(octet) ?? newNode();
    node.next.set(octet, next);
    node = next;
  }
  node.indices.push(index);
}

/** Takes away the innermost of the boundaries equal to `octets`, and the states that lead to nothing else. */
function remove(root: Node, octets: Buffer): void {
  const path: Node[] = [root];
  for (const octet of octets) {
    const next = path.at(-1)?.next.get(octet);
    if (next) path.push(next);
  }
  path.at(-1)?.indices.pop();
  for (let depth = octets.length; depth > 0; depth--) {
    const node = path[depth];
    if (!node || node.next.size > 0 || node.indices.length > 0) return;
    path[depth - 1]?.next.delete(octets[depth - 1] ?? -1);
  }
}
