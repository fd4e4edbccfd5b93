/** A token of Sieve (RFC 5228 §2, §8.1). `text` of a string is what it stands for. */
export type SieveToken = { readonly kind: 'word' | 'tag' | 'string' | 'number' | 'mark'; readonly text: string };

const patterns: readonly (readonly [SieveToken['kind'] | 'nothing', RegExp])[] = [
  ['nothing', /[ \t\r\n]+/y],
  ['nothing', /#[^\n]*(?:\n|$)/y],
  ['nothing', /\/\*[\s\S]*?\*\//y],
  ['string', /"(?:[^"\\]|\\[\s\S])*"/y],
  ['string', /text:[ \t]*(?:#[^\n]*)?\r?\n[\s\S]*?(?<=\n)\.\r?(?:\n|$)/iy],
  ['tag', /:[A-Za-z_]\w*/y],
  ['word', /[A-Za-z_]\w*/y],
  ['number', /\d+[KMG]?/iy],
  ['mark', /[;,()[\]{}]/y],
];

/** The tokens of a script; null where it is no Sieve. That the server would take it, they do not say. */
export function sieveTokens(script: string): SieveToken[] | null {
  const tokens: SieveToken[] = [];
  for (let at = 0; at < script.length; ) {
    const found = firstToken(script, at);
    if (found === null) return null;
    at += found.length;
    if (found.kind !== 'nothing') tokens.push({ kind: found.kind, text: meaningOf(found.kind, found.text) });
  }
  return tokens;
}

function firstToken(script: string, at: number) {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(script)?.[0];
    if (text !== undefined) return { kind, text, length: text.length };
  }
  return null;
}

function meaningOf(kind: SieveToken['kind'], text: string): string {
  switch (kind) {
    case 'string':
      if (text.startsWith('"')) return text.slice(1, -1).replace(/\\([\s\S])/g, '$1');
      // A multi-line string ends in a line of one dot; a line that begins with one has another before it.
      return text
        .slice(text.indexOf('\n') + 1)
        .replace(/\.\r?\n?$/, '')
        .replace(/^\.\./gm, '.');
    case 'word':
    case 'tag':
      return text.toLowerCase();
    case 'number':
    case 'mark':
      return text;
  }
}

/** What a script requires (RFC 5228 §3.2), and the personal scripts that it includes (RFC 6609 §3.2). */
export type Dependencies = { readonly required: ReadonlySet<string>; readonly included: ReadonlySet<string> };

/** Null where the script is no Sieve. */
export function dependenciesOf(script: string): Dependencies | null {
  const tokens = sieveTokens(script);
  if (tokens === null) return null;
  const required = new Set<string>();
  const included = new Set<string>();
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== 'word' || (text !== 'require' && text !== 'include')) continue;
    const end = tokens.findIndex((token, later) => later > index && token.kind === 'mark' && token.text === ';');
    const parameters = tokens.slice(index + 1, end === -1 ? undefined : end);
    const isGlobal = parameters.some((token) => token.kind === 'tag' && token.text === ':global');
    const names = parameters.filter((token) => token.kind === 'string').map((token) => token.text);
    for (const name of names) {
      if (text === 'require') required.add(name);
      else if (!isGlobal) included.add(name);
    }
  }
  return { required, included };
}
