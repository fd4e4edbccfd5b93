import { type ImapValue, listOf, textOf } from './response.ts';

/** A mailbox's personal and other namespaces (RFC 2342). Prefixes are as on the wire. */
export type Namespaces = {
  readonly personal: readonly { readonly prefix: string; readonly delimiter: string | null }[];
  readonly others: readonly string[];
};

/** What holds where the server does not say. */
export const onlyPersonal: Namespaces = { personal: [{ prefix: '', delimiter: null }], others: [] };

/** Reads a NAMESPACE response: personal, other users', shared; each NIL or a list of prefixes with their delimiters. */
export function readNamespaces(values: readonly ImapValue[]): Namespaces {
  const [personal = [], ...others] = values.map((namespaces) =>
    listOf(namespaces).map((namespace) => {
      const [prefix, delimiter] = listOf(namespace);
      return { prefix: textOf(prefix) ?? '', delimiter: textOf(delimiter) };
    }),
  );
  return {
    personal: personal.length > 0 ? personal : onlyPersonal.personal,
    others: others.flat().map(({ prefix }) => prefix),
  };
}
