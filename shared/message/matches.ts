/** A stretch of a text: offsets in UTF-16 code units, `end` exclusive. */
export type Span = { readonly start: number; readonly end: number };

/**
 * Where the terms stand in a text, in order; spans that touch or overlap are one. Compared as mail servers do: without regard to
 * case and compatibility forms (RFC 5051), to accents, and to how much white space there is. Always whole characters.
 */
export function matchesIn(text: string, terms: readonly string[]): Span[] {
  const wanted = terms.map((term) => fold(term).text).filter((term) => term !== '');
  if (wanted.length === 0) return [];
  const folded = fold(text);
  const spans: Span[] = [];
  for (const term of wanted) {
    for (let at = folded.text.indexOf(term); at !== -1; at = folded.text.indexOf(term, at + term.length)) {
      const last = at + term.length - 1;
      spans.push({ start: folded.starts[at] ?? 0, end: folded.ends[last] ?? text.length });
    }
  }
  return merged(spans);
}

/** Tells of terms whether `matchesIn` would find them in the text. */
export function finderIn(text: string): (term: string) => boolean {
  const folded = fold(text).text;
  return (term) => {
    const wanted = fold(term).text;
    return wanted !== '' && folded.includes(wanted);
  };
}

function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || span.start > last.end) result.push(span);
    else result[result.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
  }
  return result;
}

/** A text made comparable, and for each of its units where the character it comes from starts and ends. */
type Folded = { readonly text: string; readonly starts: readonly number[]; readonly ends: readonly number[] };

function fold(text: string): Folded {
  const pieces: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  let isAfterSpace = false;
  for (const character of text) {
    const isSpace = /\s/.test(character);
    const piece = isSpace ? (isAfterSpace ? '' : ' ') : foldCharacter(character);
    isAfterSpace = isSpace;
    const start = at;
    at += character.length;
    pieces.push(piece);
    for (let unit = 0; unit < piece.length; unit++) {
      starts.push(start);
      ends.push(at);
    }
    // An accent belongs to the character before it.
    if (piece === '' && !isSpace) for (let unit = ends.length - 1; ends[unit] === start; unit--) ends[unit] = at;
  }
  return { text: pieces.join(''), starts, ends };
}

const accents = /[\u0300-\u036f]/g;
const foldedCharacters = new Map<string, string>();
const foldedCharactersMax = 10_000;

function foldCharacter(character: string): string {
  const known = foldedCharacters.get(character);
  if (known !== undefined) return known;
  const folded = character.toUpperCase().normalize('NFKD').replace(accents, '');
  if (foldedCharacters.size < foldedCharactersMax) foldedCharacters.set(character, folded);
  return folded;
}
