import { describe, expect, test } from '@jest/globals';
import { changesSince, stateOf, versionIn } from '../../shared/catalog/changes.ts';
import type { CatalogView, VersionedEntry } from '../../shared/catalog/view.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

/** `+a` came, `~a` changed, `-a` went. */
function viewOf(story: string, { oldest = 0 }: { oldest?: number } = {}): CatalogView {
  const entries = story
    .split(' ')
    .filter((word) => word !== '')
    .map(
      (word, index): VersionedEntry => ({
        type: 'Email',
        id: word.slice(1) as Id,
        threadId: 't' as Id,
        before: word.startsWith('+') ? [] : [1],
        after: word.startsWith('-') ? [] : [1],
        version: index + 1,
      }),
    );
  const versions = { Email: entries.length, Thread: 3, Mailbox: 2 };
  const mailboxes = [
    { countsOnly: true, existedBefore: true, existsAfter: true },
    { countsOnly: false, existedBefore: true, existsAfter: true },
  ].map((facts, index): VersionedEntry => ({ ...facts, type: 'Mailbox', id: `m${index}` as Id, version: index + 1 }));
  const logs = { Email: entries, Thread: [], Mailbox: mailboxes };
  const view: Partial<CatalogView> = {
    epoch: 'abc',
    versions,
    oldestVersions: { Email: oldest, Thread: 0, Mailbox: 0 },
    log: async function* (type, since) {
      for (const entry of logs[type].filter(({ version }) => version > since)) yield [entry];
    },
  };
  return view as CatalogView;
}

async function pages(view: CatalogView, since: string, maxChanges: number): Promise<string[]> {
  const told: string[] = [];
  for (let state = since; ; ) {
    const answer = await changesSince(view, 'Email', state, maxChanges);
    if (!answer.ok) throw new Error(answer.error.type);
    const { created, updated, destroyed, newState, hasMoreChanges } = answer.value;
    told.push(
      [...created.map((id) => `+${id}`), ...updated.map((id) => `~${id}`), ...destroyed.map((id) => `-${id}`)].join(
        ' ',
      ),
    );
    if (!hasMoreChanges) return [...told, newState];
    state = newState;
  }
}

describe('changes are net over the range', () => {
  test.each([
    ['+a +b', '+b +a'],
    ['+a ~a', '+a'],
    ['~a ~a', '~a'],
    ['~a -a', '-a'],
    ['+a -a', ''],
    ['-a +a', '~a'],
    ['-a +a -a', '-a'],
    ['+a -a +a', '+a'],
    ['~a +b ~a', '+b ~a'],
    ['', ''],
  ])('%s is told as %s', async (story, told) => {
    const view = viewOf(story);
    expect(await pages(view, 'abc-0', 100)).toEqual([told, stateOf(view, 'Email')]);
  });

  test('newest first', async () => {
    const answer = await changesSince(viewOf('+a +b +c ~a'), 'Email', 'abc-0', null);
    expect(answer).toMatchObject({ ok: true, value: { created: ['a', 'c', 'b'] } });
  });
});

describe('a client that asks for little at a time', () => {
  test.each([1, 2, 3, 100])('gets everything once, by %d', async (maxChanges) => {
    const view = viewOf('+a +b ~x -y +c ~a -b');
    const told = await pages(view, 'abc-0', maxChanges);
    expect(told.slice(0, -1).join(' ').split(' ').filter(Boolean).sort()).toEqual(['+a', '+c', '-y', '~x']);
    expect(told.at(-1)).toBe('abc-7');
  });

  test('is never told of a record as gone and then as new, though both happened in between', async () => {
    expect(await pages(viewOf('-a +b +c +a'), 'abc-0', 1)).toEqual(['~a', '+c', '+b', 'abc-4']);
  });

  test('goes on through its range while the account moves on, and then gets the rest', async () => {
    const first = await changesSince(viewOf('+a +b'), 'Email', 'abc-0', 1);
    if (!first.ok) throw new Error(first.error.type);
    expect(first.value).toMatchObject({ created: ['b'], hasMoreChanges: true });
    const moved = viewOf('+a +b -b +d');
    const second = await changesSince(moved, 'Email', first.value.newState, 1);
    expect(second).toMatchObject({ ok: true, value: { created: ['a'], newState: 'abc-2', hasMoreChanges: true } });
    expect(await pages(moved, 'abc-2', 1)).toEqual(['+d', '-b', 'abc-4']);
  });

  test('stands, between two pages, at the version it started from', async () => {
    const view = viewOf('+a +b');
    const first = await changesSince(view, 'Email', 'abc-1', 1);
    const between = await changesSince(view, 'Email', 'abc-0', 1);
    expect(first.ok && versionIn(view, 'Email', first.value.newState)).toEqual({ ok: true, value: 2 });
    expect(between.ok && versionIn(view, 'Email', between.value.newState)).toEqual({ ok: true, value: 0 });
  });
});

test.each([
  ['of another epoch', 'abd-1'],
  ['of the future', 'abc-9'],
  ['older than the log', 'abc-1'],
  ['going backwards', 'abc-4-3-0'],
  ['between pages of which none was given out', 'abc-2-3-0'],
  ['between pages of which all were given out', 'abc-2-3-1'],
  ['beyond the end of its pages', 'abc-2-4-7'],
  ['that is none', 'abc'],
  ['that is empty', ''],
  ['with a sign', 'abc--1'],
  ['with a fraction', 'abc-1.5'],
  ['of impossible size', `abc-${'9'.repeat(30)}`],
])('a state %s is cannotCalculateChanges', async (_which, state) => {
  const answer = await changesSince(viewOf('+a +b +c +d', { oldest: 2 }), 'Email', state, null);
  expect(answer).toMatchObject({ ok: false, error: { type: 'cannotCalculateChanges' } });
});

test('the oldest state that the log reaches back to is served', async () => {
  const answer = await changesSince(viewOf('+a +b +c', { oldest: 2 }), 'Email', 'abc-2', null);
  expect(answer).toMatchObject({ ok: true, value: { created: ['c'], oldState: 'abc-2', newState: 'abc-3' } });
});

describe('Mailbox/changes says which properties changed (RFC 8621 §2.2)', () => {
  test('null when more than counts did', async () => {
    expect(await changesSince(viewOf(''), 'Mailbox', 'abc-0', null)).toMatchObject({
      value: { updatedProperties: null },
    });
  });

  test('the counts when nothing else did', async () => {
    const answer = await changesSince(
      { ...viewOf(''), versions: { Email: 0, Thread: 0, Mailbox: 1 } },
      'Mailbox',
      'abc-0',
      null,
    );
    expect(answer).toMatchObject({
      value: { updated: ['m0'], updatedProperties: ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'] },
    });
  });

  test('nothing for other types', async () => {
    const answer = await changesSince(viewOf('+a'), 'Email', 'abc-0', null);
    expect(answer.ok && 'updatedProperties' in answer.value).toBe(false);
  });
});
