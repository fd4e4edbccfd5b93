import type { RecordStore } from '../../shared/records/store.ts';
import { headerOf } from '../../shared/vault/sealed.ts';
import { SealBroken } from '../../shared/vault/vault.ts';
import { heldKey, type Queue } from '../sending/queue.ts';
import type { FolderOutbox, Waiting } from './folder-outbox.ts';
import type { KeyFileVault } from './key-file-vault.ts';

const sweepEveryMs = 3_600_000;

export type SweepParts = {
  readonly outbox: FolderOutbox;
  readonly vault: KeyFileVault;
  readonly store: RecordStore;
  readonly queue: Pick<Queue, 'eraseIfOver'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/**
 * Erases messages that nobody will send any more, and the keys under which nothing is sealed that still waits.
 */
export async function sweepOutbox({ outbox, vault, store, queue, now }: SweepParts): Promise<void> {
  const credentialOf = ({ account, id }: Waiting) => store.read(account, heldKey(id));
  for (const { account, id, since } of await outbox.waiting(now())) await queue.eraseIfOver(account, id, since);
  await vault.retire(async () => {
    const needed = new Set<string>();
    for (const each of await outbox.waiting(now())) {
      const sealed = [await outbox.get(each.account, each.id), (await credentialOf(each))?.bytes];
      for (const bytes of sealed) for (const keyId of bytes == null ? [] : keysOf(bytes)) needed.add(keyId);
    }
    return needed;
  });
}

/** The key that opens this; what is no seal, none opens. */
function keysOf(sealed: Uint8Array): string[] {
  try {
    return [headerOf(sealed).keyId];
  } catch (error) {
    if (error instanceof SealBroken) return [];
    throw error;
  }
}

/** Does so now and once an hour, until it is stopped. */
export function startSweeping(
  parts: SweepParts,
  onFailure: (error: unknown) => void,
): { readonly stop: () => Promise<void> } {
  const sweep = () => sweepOutbox(parts).catch(onFailure);
  let underWay = sweep();
  const timer = setInterval(() => {
    underWay = underWay.then(sweep);
  }, sweepEveryMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}
