import { ok } from '../../jmap/errors.ts';
import { type Grammar, id } from '../../jmap/grammar.ts';

/**
 * The id of a blob, or `#` and the creation id under which it was uploaded in this request (RFC 9404 §4.1). A creation id that
 * stands for nothing stays as it is: it names a blob that is not found.
 */
export const blobReference: Grammar<string> = {
  parse: (value, resolve) => {
    if (typeof value !== 'string' || !value.startsWith('#')) return id.parse(value);
    return ok(resolve?.(value.slice(1)) ?? value);
  },
};
