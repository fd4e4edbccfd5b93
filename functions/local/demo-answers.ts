import { watch } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { DovecotServer } from './dovecot.ts';

/**
 * Delivers what Sieve sends in the demo, answers and redirected mail, to the users of this Dovecot. What is for anybody else goes nowhere, as
 * all mail of the demo to the world.
 */
export function startDemoAnswers({ outbox, users, deliver }: Pick<DovecotServer, 'outbox' | 'users' | 'deliver'>): {
  readonly stop: () => Promise<void>;
} {
  async function take(file: string): Promise<void> {
    const kept = await readFile(file);
    const lineEnd = kept.indexOf('\n');
    const { from, to } = envelopeIn(kept.toString('utf8', 0, lineEnd));
    // Removed first: what cannot be delivered is not tried for ever.
    await rm(file);
    for (const recipient of to) {
      const user = users.find((each) => each.user === recipient.toLowerCase())?.user;
      if (user !== undefined) await deliver({ from, to: user, message: kept.subarray(lineEnd + 1) });
    }
  }
  async function takeAll(): Promise<void> {
    for (const name of await readdir(outbox)) {
      if (name.endsWith('.eml')) await take(path.join(outbox, name)).catch(() => {});
    }
  }

  let underWay = Promise.resolve();
  const next = () => {
    underWay = underWay.then(takeAll).catch(() => {});
  };
  const watcher = watch(outbox, next);
  // A folder that is gone ends the demo in other ways.
  watcher.on('error', () => {});
  next();
  return {
    stop: async () => {
      watcher.close();
      await underWay;
    },
  };
}

/** Of `-i -f <robin@example.org> -- sam@example.org`, which is how Sieve calls `sendmail`. */
function envelopeIn(call: string): { readonly from: string; readonly to: readonly string[] } {
  const [, from = '', to = ''] = /-f <?([^ >]*)>? -- (.*)$/.exec(call) ?? [];
  return { from, to: to.split(' ').filter((each) => each !== '') };
}
