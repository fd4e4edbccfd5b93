import type { AccountCatalog } from '../catalog/account.ts';
import { changesSince } from '../catalog/changes.ts';
import type { ChangingType } from '../catalog/view.ts';
import type { CanChange } from '../jmap/verbs.ts';

/** /changes of the types whose history the catalog's log holds. */
export function canChange(type: ChangingType): (ports: { readonly catalog: AccountCatalog }) => CanChange<object> {
  return ({ catalog }) => ({
    changes: async ({ sinceState, maxChanges }) =>
      changesSince(await catalog.view('recent'), type, sinceState, maxChanges),
  });
}
