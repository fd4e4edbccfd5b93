import type { Span } from '../../message/matches.ts';

/** Octets of UTF-8 that `preview` may have, entities and tags included (RFC 8621 §5). */
export const excerptOctetsMax = 255;
/** How much of an excerpt may stand before its first match, where there is enough to show behind it. */
const leadOctetsMax = 70;
/** How far a cut may be moved to fall between words. Some scripts have no blanks between them. */
const wordLengthMax = 24;

/** The text as HTML, with the matches in `<mark>`. */
export function highlight(text: string, matches: readonly Span[]): string {
  let html = '';
  let at = 0;
  for (const { start, end } of matches) {
    html += `${escaped(text.slice(at, start))}<mark>${escaped(text.slice(start, end))}</mark>`;
    at = end;
  }
  return html + escaped(text.slice(at));
}

/**
 * The text around the first match, as HTML with the matches in `<mark>`, in at most `excerptOctetsMax` octets. Cut between
 * words where there are any, else between characters; an ellipsis stands for what is left out. A first match that is too long is
 * shortened; of the others those are shown that are there in whole.
 */
export function excerpt(text: string, matches: readonly [Span, ...Span[]]): string {
  const [first] = matches;
  const cuts = cutsAround(text, first.start);
  const fits = (start: number, end: number) => octetsOf(rendered(text, matches, start, end)) <= excerptOctetsMax;
  const grownBack = (end: number, isEnough: (start: number) => boolean) =>
    furthest(cuts.before, (cut) => fits(cut, end) && !isEnough(cut)) ?? first.start;
  const grownForward = (start: number, endMax: number) =>
    furthest(cuts.after, (cut) => cut <= endMax && fits(start, cut)) ?? first.start;

  const matchEnd = grownForward(first.start, first.end);
  const isLeadEnough = (start: number) => octetsOf(text.slice(start, first.start)) > leadOctetsMax;
  const lead = grownBack(matchEnd, isLeadEnough);
  const end = grownForward(lead, text.length);
  const start = end === text.length ? grownBack(end, () => false) : lead;
  const last = beforeCutMatch(text, matches, wordEnd(text, end, matchEnd), matchEnd);
  return rendered(text, matches, wordStart(text, start, first.start), last);
}

/** The last of the cuts that is possible; behind one that is not there is none. */
function furthest(cuts: readonly number[], isPossible: (cut: number) => boolean): number | undefined {
  let [from, to] = [0, cuts.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isPossible(cuts[middle] ?? 0)) from = middle + 1;
    else to = middle;
  }
  return cuts[from - 1];
}

/** Where an excerpt that would end within a match has to end instead, though not before `first`. */
function beforeCutMatch(text: string, matches: readonly Span[], end: number, first: number): number {
  const cut = matches.find((span) => span.start < end && span.end > end);
  if (cut === undefined || cut.start < first) return end;
  const isAfterBlank = text[cut.start - 1] === ' ' && cut.start > first;
  return isAfterBlank ? cut.start - 1 : cut.start;
}

/** Where characters end before and behind an offset, the nearest first, further than an excerpt can reach. */
function cutsAround(
  text: string,
  at: number,
): { readonly before: readonly number[]; readonly after: readonly number[] } {
  const from = Math.max(0, at - excerptOctetsMax - wordLengthMax);
  const segments = new Intl.Segmenter().segment(text.slice(from, at + 2 * excerptOctetsMax));
  const starts = [...segments].map(({ index }) => from + index);
  const ends = [...starts, Math.min(text.length, at + 2 * excerptOctetsMax)];
  return { before: starts.filter((cut) => cut < at).reverse(), after: ends.filter((cut) => cut > at) };
}

function rendered(text: string, matches: readonly Span[], start: number, end: number): string {
  const inside = matches
    .filter((span) => span.start < end && span.end > start)
    .map((span) => ({ start: Math.max(span.start, start) - start, end: Math.min(span.end, end) - start }));
  return `${start === 0 ? '' : '…'}${highlight(text.slice(start, end), inside)}${end === text.length ? '' : '…'}`;
}

/** The beginning of the next word, unless that is further than `last` or a word is long. */
function wordStart(text: string, start: number, last: number): number {
  if (start === 0 || text[start - 1] === ' ') return start;
  const blank = text.slice(start, Math.min(last, start + wordLengthMax)).indexOf(' ');
  return blank === -1 ? start : start + blank + 1;
}

/** The end of the last word, unless that is before `first` or a word is long. */
function wordEnd(text: string, end: number, first: number): number {
  if (end === text.length || text[end] === ' ') return end;
  const from = Math.max(first, end - wordLengthMax);
  const blank = text.slice(from, end).lastIndexOf(' ');
  return blank === -1 ? end : from + blank;
}

const entities: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character] ?? character);
}

function octetsOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
