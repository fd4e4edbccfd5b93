/** The data types of RFC 8620 §1.1–1.4, as TypeScript sees them after the door has checked them. */

/** Any value that JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object. Made with a null prototype by the request parser, so `__proto__` is an ordinary key. */
export type JsonObject = { [key: string]: JsonValue };

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** An `Id` (§1.2): 1–255 characters of `[A-Za-z0-9_-]`. */
export type Id = Branded<'Id'>;
/** A state string (§5.1): opaque, compared only for equality. */
export type State = Branded<'State'>;
/** A `UTCDate` (§1.4), e.g. `2014-10-30T06:12:00Z`. */
export type UTCDate = Branded<'UTCDate'>;

const idPattern = /^[A-Za-z0-9_-]{1,255}$/;

/** Whether the text is an `Id` (§1.2). */
export function isId(text: string): text is Id {
  return idPattern.test(text);
}

/** Milliseconds since the epoch → `UTCDate`; a fraction of zero is left out, as §1.4 demands. */
export function utcDate(ms: number): UTCDate {
  return new Date(ms).toISOString().replace('.000Z', 'Z') as UTCDate;
}
