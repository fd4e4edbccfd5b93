import { describe, expect, test } from '@jest/globals';
import { createHistory } from './history.ts';
import { applyEdit, emptyModel, expectModel } from './model.ts';
import { createRandom } from './random.ts';
import { committed, createWorld, noEdit, opened } from './world.ts';

const facts = { scheme: 'digest', threads: 'derived' } as const;

describe('after any history, a fresh process and the one that wrote it both see what a plain map would hold', () => {
  test.each([
    { seed: 1, mailboxes: 3, emails: 0, commits: 40 },
    { seed: 2, mailboxes: 12, emails: 300, commits: 40 },
    { seed: 3, mailboxes: 40, emails: 2000, commits: 16 },
    { seed: 4, mailboxes: 2, emails: 4000, commits: 8 },
  ])('seed $seed: $emails Emails, then $commits commits', async ({ seed, mailboxes, emails, commits }) => {
    const random = createRandom(seed);
    const world = createWorld(seed);
    const model = emptyModel();
    const history = createHistory(random, model);
    const catalog = world.freshProcess();
    const { version } = committed(await catalog.create(facts, noEdit, null));

    for (let commit = 0; commit <= commits; commit++) {
      const edit =
        commit === 0
          ? history.first({ mailboxes, emails })
          : random.chance(0.5)
            ? history.anything()
            : history.delivery();
      const view = committed(await catalog.commit(await opened(catalog), edit));
      applyEdit(model, edit);
      if (commit % 4 === 0 || commit > commits - 4) await expectModel(view, model);
      if (commit % 5 === 0 || commit === commits) await expectModel(await opened(world.freshProcess()), model);
      expect(view.version).toBe(version + commit + 1);
    }
  });
});
