// SieveScript/validate (RFC 9661 §2.6)
import { ok } from '../../jmap/errors.ts';
import { reference } from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import type { BlobPorts } from '../Blob/find.ts';
import { scriptContent, setErrorOf } from './script-content.ts';

/** What the mail server thinks of a script, which it does not keep. */
export const validateScript: AccountMethod<BlobPorts> = accountMethod(
  { blobId: reference },
  async ({ accountId, blobId }, ports: BlobPorts) => {
    const content = await scriptContent(blobId, ports);
    if (!content.ok) return ok({ response: { accountId, error: content.error } });
    const checked = await ports.scripts.check(content.value);
    return ok({ response: { accountId, error: checked.ok ? null : setErrorOf(checked.error) } });
  },
);
