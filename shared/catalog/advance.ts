import { endOfFirstContact } from './end-of-first-contact.ts';
import { entriesAfter, missingAmong } from './entries.ts';
import { type Findings, reconcile } from './reconcile.ts';
import type { Catalog, CatalogEdit, CatalogView } from './view.ts';

/** Another writer committed first: what was found is thrown away, and the server is asked again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** Commits what was found; gives the view itself when that is nothing. Throws `Overtaken` when another writer was first. */
export async function advance(catalog: Catalog, view: CatalogView, findings: Findings): Promise<CatalogView> {
  if (!view.provisional && findings.mailboxes.size === 0 && findings.deltas.size === 0) return view;
  const found = await reconcile(view, findings);
  const isLastMissing =
    view.provisional && missingAmong(entriesAfter(await view.mailboxes(), found.mailboxes)).length === 0;
  return commitEdit(catalog, view, isLastMissing ? await endOfFirstContact(view, found) : found);
}

/** Commits an edit; gives the view itself when that changes nothing. Throws `Overtaken` when another writer was first. */
export async function commitEdit(catalog: Catalog, view: CatalogView, edit: CatalogEdit): Promise<CatalogView> {
  if (isEmpty(edit)) return view;
  const outcome = await catalog.commit(view, edit);
  if (outcome.kind === 'conflict') throw new Overtaken('Could not commit: another writer was first');
  return outcome.view;
}

function isEmpty(edit: CatalogEdit): boolean {
  return edit.mailboxes.size === 0 && edit.emails.size === 0 && edit.messageIds.size === 0 && edit.log.length === 0;
}
