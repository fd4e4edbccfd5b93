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
}): Promise<Vault> {
  const { keys } = await keysIn(file, now);
  const all = new Map(keys.map(({ id, key }) => [id, Buffer.from(key, 'base64')]));
  const newest = keys.at(-1)?.id ?? '';
  const keyCalled = (id: string): Buffer => {
    const key = all.get(id);
    if (key === undefined) throw new SealBroken(`Could not open a seal: its key "${id}" is not there`);
    return key;
  };
  return {
    seal: async (plain, context) => {
      const header = { keyId: newest, wrappedKey: new Uint8Array() };
      return seal({ plain, context, header }, { key: keyCalled(newest), nonce: randomBytes(nonceOctets) });
    },
    open: async (sealed, context) => unseal(sealed, context, keyCalled(headerOf(sealed).keyId)),
  };
}

async function keysIn(file: string, now: () => number): Promise<KeyFile> {
  const present = await read(file);
  const newest = present?.keys.at(-1);
  if (present !== null && newest !== undefined && newest.madeAt + rotateAfterMs > now()) return present;
  const made = { id: randomBytes(6).toString('hex'), madeAt: now(), key: randomBytes(keyOctets).toString('base64') };
  const next: KeyFile = { keys: [...(present?.keys ?? []), made] };
  await write(file, next);
  return next;
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
