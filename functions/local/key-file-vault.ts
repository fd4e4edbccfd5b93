import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { headerOf, keyOctets, nonceOctets, seal, unseal } from '../../shared/vault/sealed.ts';
import { SealBroken, type Vault } from '../../shared/vault/vault.ts';

/** A key is used for so long; then there is another, and the old one opens what was sealed under it. */
const rotateAfterMs = 90 * 24 * 3_600_000;

const keyFile = v.strictObject({
  /** The newest at the end. */
  keys: v.pipe(
    v.array(
      v.strictObject({
        id: v.string(),
        madeAt: v.number(),
        key: v.pipe(
          v.string(),
          v.check((text) => Buffer.from(text, 'base64').length === keyOctets),
        ),
      }),
    ),
    v.minLength(1),
  ),
});
type KeyFile = v.InferOutput<typeof keyFile>;

/** How long after another took its place something that was sealed under a key may still be on its way to where it is kept. */
const retireAfterMs = 24 * 3_600_000;

export type KeyFileVault = Vault & {
  /** Removes the keys that others replaced long ago, but for those that `needed` names: it is only asked where there are any. */
  readonly retire: (needed: () => Promise<ReadonlySet<string>>) => Promise<void>;
};

/**
 * A vault whose keys are in a file that only its owner may read. It is made when it is not there, and gets another key when the
 * newest is old. What is sealed cannot be opened without it: keep it apart from copies of the store. `now` in milliseconds.
 */
export async function openKeyFileVault({
  file,
  now,
}: {
  readonly file: string;
  readonly now: () => number;
}): Promise<KeyFileVault> {
  let keys: Promise<KeyFile['keys']> = read(file).then((present) => withFresh(present?.keys ?? []));

  /** The keys, the newest of which is not too old; a new one is in the file before anything is sealed with it. */
  async function withFresh(present: KeyFile['keys']): Promise<KeyFile['keys']> {
    if (isFresh(present)) return present;
    const made = { id: randomBytes(6).toString('hex'), madeAt: now(), key: randomBytes(keyOctets).toString('base64') };
    const next = [...present, made];
    await write(file, { keys: next });
    return next;
  }
  const isFresh = (present: KeyFile['keys']) =>
    (present.at(-1)?.madeAt ?? Number.NEGATIVE_INFINITY) + rotateAfterMs > now();

  /** In whose place another one has been for long. */
  const oldIn = (present: KeyFile['keys']) =>
    present.filter((_, index) => (present[index + 1]?.madeAt ?? Number.POSITIVE_INFINITY) + retireAfterMs <= now());

  await keys;
  return {
    retire: async (needed) => {
      if (oldIn(await keys).length === 0) return;
      const ids = await needed();
      keys = keys.then(async (present) => {
        const useless = oldIn(present).filter(({ id }) => !ids.has(id));
        if (useless.length === 0) return present;
        const left = present.filter((key) => !useless.includes(key));
        // One that cannot be removed does no harm.
        return write(file, { keys: left }).then(
          () => left,
          () => present,
        );
      });
      await keys;
    },
    seal: async (plain, context) => {
      const present = await keys;
      if (!isFresh(present)) {
        // One at a time; where it cannot be written, the old one will do once more.
        keys = keys.then(withFresh).catch(() => present);
      }
      const { id, key } = (await keys).at(-1) as KeyFile['keys'][number];
      const header = { keyId: id, wrappedKey: new Uint8Array() };
      return seal({ plain, context, header }, { key: Buffer.from(key, 'base64'), nonce: randomBytes(nonceOctets) });
    },
    open: async (sealed, context) => {
      const { keyId } = headerOf(sealed);
      const found = (await keys).find(({ id }) => id === keyId);
      if (found === undefined) throw new SealBroken(`Could not open a seal: its key "${keyId}" is not there`);
      return unseal(sealed, context, Buffer.from(found.key, 'base64'));
    },
  };
}

/** Null: there is no such file. One that cannot be used is an error: what is sealed under its keys must not be lost to a new one. */
async function read(file: string): Promise<KeyFile | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = v.safeParse(keyFile, JSON.parse(text));
  if (!parsed.success) throw new Error(`Could not read the keys in "${file}": it is no key file`);
  return parsed.output;
}

/** Whole or not at all. */
async function write(file: string, keys: KeyFile): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.part`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  const folder = await open(path.dirname(file));
  await folder.sync().finally(() => folder.close());
}
