/** One value in a response (RFC 5804 §1.2). */
export type SieveValue =
  | { readonly kind: 'string'; readonly octets: Buffer }
  | { readonly kind: 'atom'; readonly text: string }
  | { readonly kind: 'list'; readonly values: readonly SieveValue[] };

/** A response code (RFC 5804 §1.3): its name in upper case, such as `QUOTA/MAXSIZE`, and what follows it. */
export type ResponseCode = { readonly name: string; readonly values: readonly SieveValue[] };

/** One response: the end of a command, or data that comes before it. */
export type SieveResponse =
  | {
      readonly kind: 'status';
      readonly status: 'OK' | 'NO' | 'BYE';
      readonly code: ResponseCode | null;
      /** For humans; '' where there is none. */
      readonly text: string;
    }
  | { readonly kind: 'data'; readonly values: readonly SieveValue[] };

/** The text of a string, what is no UTF-8 replaced; null for any other value. */
export function textOf(value: SieveValue | undefined): string | null {
  return value?.kind === 'string' ? value.octets.toString('utf8') : null;
}
