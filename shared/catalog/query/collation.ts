/** The collations of RFC 4790 that sorting knows: from a text to its sort key, to be compared by `compareTexts`. */
const collations: ReadonlyMap<string, (text: string) => string> = new Map([
  ['i;unicode-casemap', unicodeCasemap],
  ['i;ascii-casemap', (text: string) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())],
  ['i;octet', (text: string) => text],
]);

/** Their names, for the Session's `collationAlgorithms` (RFC 8620 §2). The first is the default. */
export const collationAlgorithms: readonly string[] = [...collations.keys()];

/** The sort key of a text; `collation` null: the default. */
export function collationKey(text: string, collation: string | null): string {
  return (collations.get(collation ?? '') ?? unicodeCasemap)(text);
}

/** RFC 5051 §2: titlecase every character, then decompose. JavaScript has no titlecase; upper case orders the same but for a few digraphs. */
function unicodeCasemap(text: string): string {
  return text.toUpperCase().normalize('NFKD');
}

/** Orders texts by code points, which is the order of their UTF-8 octets. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    // Surrogates stand for code points above all that one unit can hold.
    if (x !== y) return Number(isSurrogate(x)) - Number(isSurrogate(y)) || x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
