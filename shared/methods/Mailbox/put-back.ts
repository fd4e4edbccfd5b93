import { formerName, setAsideAt } from '../../catalog/set-aside.ts';
import { Unavailable } from '../../jmap/errors.ts';
import type { StructurePorts } from './deeds.ts';

/** How long a mailbox can be set aside by somebody who has still something in mind with it. */
export const setAsideMsMax = 5 * 60_000;
/** How many other names are tried where another mailbox has the former one by now. */
const namesMax = 10;

/**
 * Gives mailboxes their names back that were set aside, to be destroyed or to change places, when whoever did so died before the end.
 * Where that is not possible now, the next one may; nobody is told.
 */
export async function putBack(
  names: Iterable<string>,
  { mailboxes, surroundings }: Pick<StructurePorts, 'mailboxes' | 'surroundings'>,
): Promise<void> {
  for (const name of names) {
    const since = setAsideAt(name);
    if (since === null || surroundings.now() - since <= setAsideMsMax) continue;
    try {
      for (let n = 1; n <= namesMax; n += 1) {
        const wanted = n === 1 ? formerName(name) : `${formerName(name)} ${n}`;
        if ((await mailboxes.rename(name, wanted)) !== 'exists') break;
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
}
