/** What an envelope address carries besides (RFC 8621 §7): decoded values by name; null where a parameter takes none. */
export type SmtpParameters = { readonly [name: string]: string | null };

/** A parameter that is known here: what values it takes, which EHLO keyword offers it, and how its value is written. */
type Parameter = {
  readonly offeredBy: string;
  /** Null: it takes no value. */
  readonly value: RegExp | null;
  readonly encode?: (value: string) => string;
};

/** Of MAIL FROM. `HOLDFOR` and `HOLDUNTIL` (RFC 4865) are not among them: it is not the submission server alone that knows them. */
const mailParameters: { readonly [name: string]: Parameter } = {
  // RFC 3461
  RET: { offeredBy: 'DSN', value: /^(?:FULL|HDRS)$/i },
  ENVID: { offeredBy: 'DSN', value: /^[\x20-\x7e]{1,100}$/, encode: xtext },
  // RFC 6710, RFC 2852, RFC 8689
  'MT-PRIORITY': { offeredBy: 'MT-PRIORITY', value: /^-?[0-9]$/ },
  BY: { offeredBy: 'DELIVERBY', value: /^-?\d{1,9};[NR]T?$/i },
  REQUIRETLS: { offeredBy: 'REQUIRETLS', value: null },
};
/** Of RCPT TO: RFC 3461. */
const rcptParameters: { readonly [name: string]: Parameter } = {
  NOTIFY: {
    offeredBy: 'DSN',
    value: /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/i,
  },
  ORCPT: { offeredBy: 'DSN', value: /^[A-Za-z0-9-]{1,20};[^\p{Cc}\p{Cs}]{1,400}$/u, encode: originalRecipient },
};
/** What we say ourselves; a client may say the same. */
const ours = new Set(['BODY', 'SIZE', 'SMTPUTF8']);

/**
 * The parameters as they are written after the address, each with a space before it; or why they cannot be. `offers`: the EHLO
 * keywords of the server in upper case; null: it has not been asked.
 */
export function writeParameters(
  command: 'MAIL' | 'RCPT',
  parameters: SmtpParameters,
  offers: ReadonlySet<string> | null,
): { readonly text: string } | { readonly objection: string } {
  const known = command === 'MAIL' ? mailParameters : rcptParameters;
  let text = '';
  const seen = new Set<string>();
  for (const [given, value] of Object.entries(parameters)) {
    const name = given.toUpperCase();
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (seen.has(name)) return { objection: `${name} is given twice` };
    seen.add(name);
    if (command === 'MAIL' && ours.has(name)) continue;
    if (parameter === undefined) return { objection: `there is no parameter ${JSON.stringify(given.slice(0, 80))}` };
    if ((value === null) !== (parameter.value === null) || (value !== null && !parameter.value?.test(value))) {
      return { objection: `${name} does not take this value` };
    }
    if (offers?.has(parameter.offeredBy) === false) return { objection: `the server does not offer ${name}` };
    text += ` ${name}${value === null ? '' : `=${parameter.encode?.(value) ?? value.toUpperCase()}`}`;
  }
  return { text };
}

/** RFC 3461 §4. */
function xtext(value: string): string {
  return value.replace(/[^!-*,-<>-~]/g, (char) => `+${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** `addr-type;xtext`, or `utf-8;utf-8-addr-unitext` (RFC 6533 §3) where it needs more than ASCII. */
function originalRecipient(value: string): string {
  const [type = '', address = ''] = value.split(/;(.*)/s);
  if (/^utf-8$/i.test(type)) {
    const escaped = (char: string) => `\\x{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
    return `${type};${address.replace(/[^!-*,-<>-[\]-~]/gu, escaped)}`;
  }
  return `${type};${xtext(address)}`;
}
