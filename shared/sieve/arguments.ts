/**
 * One argument of a command (RFC 5804 §1.2). Text of others reaches the wire only through these, never by joining strings:
 * whatever is not plain goes as a literal, whose octets the server counts.
 */
export type SieveArgument =
  | { readonly kind: 'string'; readonly octets: Buffer }
  | { readonly kind: 'number'; readonly value: number };

/** Any text or octets. */
export function string(value: string | Uint8Array): SieveArgument {
  return { kind: 'string', octets: Buffer.from(typeof value === 'string' ? Buffer.from(value, 'utf8') : value) };
}

/** A whole number of at most 32 bits (RFC 5804 §4). Throws on another: that is a fault of the caller, not of a user. */
export function number(value: number): SieveArgument {
  if (!Number.isSafeInteger(value) || value < 0 || value > 0xffff_ffff) throw new Error(`Not a number "${value}"`);
  return { kind: 'number', value };
}

/** A command as the octets to send. */
export function compileCommand(name: string, parameters: readonly SieveArgument[]): Buffer {
  if (!/^[A-Z]+$/.test(name)) throw new Error(`Not a command "${name}"`);
  return Buffer.concat([Buffer.from(name), ...parameters.flatMap((each) => [space, compile(each)]), lineEnd]);
}

/** A string alone on its line, as SASL wants it (RFC 5804 §2.1). */
export function compileLine(argument: SieveArgument): Buffer {
  return Buffer.concat([compile(argument), lineEnd]);
}

const space = Buffer.from(' ');
const lineEnd = Buffer.from('\r\n');

/** Longer strings are literals (RFC 5804 §4: at most 1024 octets between the quotes). */
const quotedOctetsMax = 1_000;

function compile(argument: SieveArgument): Buffer {
  if (argument.kind === 'number') return Buffer.from(String(argument.value));
  const { octets } = argument;
  // Only printable ASCII is quoted: what is malformed, or ends lines, stays what it is in a literal.
  const text = octets.toString('latin1');
  if (octets.length <= quotedOctetsMax && /^[\x20-\x7e]*$/.test(text)) {
    return Buffer.from(`"${text.replace(/["\\]/g, '\\$&')}"`, 'latin1');
  }
  return Buffer.concat([Buffer.from(`{${octets.length}+}\r\n`), octets]);
}
