import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DovecotServer, startDovecot } from '../../functions/local/dovecot.ts';
import { type WriteScene, writeScene } from './write-scene.ts';

/** Commands that open a mailbox for changes, or change what is in it. */
const writing = {
  Source: /^(?:SELECT "Source"|UID (?:STORE|COPY|MOVE|EXPUNGE))/,
  Target: /^(?:SELECT "Target"|UID (?:COPY|MOVE))/,
};
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 300_000;
const user = { user: 'robin', password: 'secret' };

describe.each([
  ['MOVE', []],
  ['no MOVE', ['MOVE']],
])('on a Dovecot with a file for each message, and %s', (_, ignoreCapabilities) => {
  let folder: string;
  let server: DovecotServer;
  let scene: WriteScene;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'postern-maildir-'));
    server = await startDovecot({ folder, format: 'maildir', users: [user] });
    // QUIRK(dovecot 2.3, maildir): the X-GUID of a copy is kept beside its UID, and lost with it.
    const backend = { ignoreCapabilities, forbiddenIdentitySchemes: ['xguid'] as const };
    // QUIRK(dovecot 2.3): for a moment it does not show a mailbox that was made anew, nor what lies in it.
    scene = await writeScene(server, user, backend, true);
  });
  afterAll(async () => {
    await scene.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The same messages, the last one first, in a new mailbox of the same name. */
  async function replace(name: string): Promise<void> {
    const { actor } = scene;
    await actor.create('Aside');
    for (const uid of [...(await actor.uids(name))].reverse()) await actor.move(name, [uid], 'Aside');
    await actor.remove(name);
    await actor.create(name);
    const uids = await actor.uids('Aside');
    if (uids.length > 0) await actor.move('Aside', uids, name);
    await actor.remove('Aside');
  }

  /** All that the server knows of the UIDs of a mailbox is lost. */
  async function forgetUids(name: string): Promise<void> {
    const mailbox = path.join(folder, 'mail', user.user, 'mail', `.${name}`);
    for (const file of await readdir(mailbox)) {
      if (/^dovecot[-.](?:uidlist|index)/.test(file)) await rm(path.join(mailbox, file), { force: true });
    }
  }

  test.each([
    ['Source', 'deleted and made anew', replace],
    ['Target', 'deleted and made anew', replace],
    ['Source', 'given new UIDs', forgetUids],
  ] as const)(
    'nothing is lost, and nothing is done to another message, when %s is %s at a command, whichever it is',
    async (name, __, change) => {
      for (let nth = 1; ; nth += 1) {
        const act = () => change(name);
        const { hasHappened } = await scene.interrupted({ command: writing[name], nth, moment: 'before', act });
        if (hasHappened) continue;
        expect(nth).toBeGreaterThan(2);
        return;
      }
    },
    timeoutMs,
  );
});
