import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startDovecot } from '../../functions/local/dovecot.ts';
import { cyrus } from '../servers/servers.ts';
import { type WriteScene, writeScene } from './write-scene.ts';

type Name = 'Source' | 'Target';
type Change = (scene: Scene, name: Name) => Promise<void>;
type Case = readonly [name: Name, what: string, change: Change, at: RegExp];
type Scene = WriteScene & {
  /** All that the server knows of the UIDs of a mailbox is lost. */
  readonly forgetUids: (name: Name) => Promise<void>;
};

/** Commands that open a mailbox for changes, or change what is in it. */
const writing = {
  Source: /^(?:SELECT "Source"|UID (?:STORE|COPY|MOVE|EXPUNGE))/,
  Target: /^(?:SELECT "Target"|UID (?:COPY|MOVE))/,
};
/** So long a test may take on a machine that has other things to do. */
const timeoutMs = 300_000;

async function dovecotWithFiles(ignoreCapabilities: readonly string[]): Promise<Scene> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-maildir-'));
  const user = { user: 'robin', password: 'secret' };
  const server = await startDovecot({ folder, format: 'maildir', users: [user] });
  // QUIRK(dovecot 2.3, maildir): the X-GUID of a copy is kept beside its UID, and lost with it.
  const backend = { ignoreCapabilities, forbiddenIdentitySchemes: ['xguid'] as const };
  // QUIRK(dovecot 2.3): for a moment it does not show a mailbox that was made anew, nor what lies in it.
  const scene = await writeScene(server, user, backend, true);
  return {
    ...scene,
    forgetUids: async (name) => {
      const mailbox = path.join(folder, 'mail', user.user, 'mail', `.${name}`);
      for (const file of await readdir(mailbox)) {
        if (/^dovecot[-.](?:uidlist|index)/.test(file)) await rm(path.join(mailbox, file), { force: true });
      }
    },
    end: async () => {
      await scene.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A mailbox that is made anew has another MAILBOXID there: it is another one, of another id. */
async function cyrusScene(ignoreCapabilities: readonly string[]): Promise<Scene> {
  const server = await cyrus();
  const scene = await writeScene(server, await server.freshUser(), { ignoreCapabilities }, false);
  return { ...scene, forgetUids: () => Promise.reject(new Error('Cyrus forgets nothing')) };
}

/** The same messages, the last one first, in a new mailbox of the same name. */
async function replace({ actor }: Scene, name: Name): Promise<void> {
  await actor.create('Aside');
  for (const uid of [...(await actor.uids(name))].reverse()) await actor.move(name, [uid], 'Aside');
  await actor.remove(name);
  await actor.create(name);
  const uids = await actor.uids('Aside');
  if (uids.length > 0) await actor.move('Aside', uids, name);
  await actor.remove('Aside');
}

const forgetUids: Change = (scene, name) => scene.forgetUids(name);

const anew = 'deleted and made anew';
const targetAnew: Case = ['Target', anew, replace, writing.Target];
const bothAnew: readonly Case[] = [['Source', anew, replace, writing.Source], targetAnew];
const allOfDovecot: readonly Case[] = [...bothAnew, ['Source', 'given new UIDs', forgetUids, writing.Source]];
const targetForgotten: Case = ['Target', 'given new UIDs', forgetUids, /^(?:SELECT|EXAMINE|UID)/];

describe.each<[title: string, start: typeof cyrusScene, ignored: readonly string[], cases: readonly Case[]]>([
  ['a Dovecot with a file for each message', dovecotWithFiles, [], allOfDovecot],
  [
    'a Dovecot with a file for each message, and no MOVE',
    dovecotWithFiles,
    ['MOVE'],
    [...allOfDovecot, targetForgotten],
  ],
  [
    'a Dovecot with a file for each message, and neither MOVE nor UIDPLUS',
    dovecotWithFiles,
    ['MOVE', 'UIDPLUS'],
    bothAnew,
  ],
  ['Cyrus', cyrusScene, [], [targetAnew]],
  ['Cyrus with no MOVE', cyrusScene, ['MOVE'], bothAnew],
])('on %s', (_, start, ignored, cases) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await start(ignored);
  });
  afterAll(() => scene.end());

  test.each(cases)(
    'nothing is lost, and nothing is done to another message, when %s is %s at a command, whichever it is',
    async (name, __, change, at) => {
      let nth = 1;
      const act = () => change(scene, name);
      while ((await scene.interrupted({ command: at, nth, moment: 'before', act })).hasHappened) nth += 1;
      expect(nth).toBeGreaterThan(2);
    },
    timeoutMs,
  );
});
