import { describe, expect, test } from '@jest/globals';
import { nameSetAside } from '../../../shared/catalog/set-aside.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { factsToKeep } from '../../../shared/methods/Mailbox/kept-facts.ts';
import { nextMove, type Wanted } from '../../../shared/methods/Mailbox/moves.ts';
import { maxMailboxDepth } from '../../../shared/methods/Mailbox/name.ts';
import { assigned, moved, ownNameOf, type Tree, treeOf } from '../../../shared/methods/Mailbox/tree.ts';
import { inMemoryView, type PlainAccount } from '../../catalog/query/in-memory-view.ts';

const now = 1_800_000_000_000;
const aside = (name: string) => nameSetAside(name, now);

const id = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '-') as Id;

/** A tree of mailboxes by full name; ids are their full names with hyphens. */
async function treeFor(
  names: readonly string[],
  more: { readonly [name: string]: Partial<PlainAccount['mailboxes'][number]> } = {},
  naming = { prefix: '', delimiter: '/' as string | null },
): Promise<Tree> {
  const mailboxes = names.map((name, index) => ({ key: index + 1, id: id(name), name, ...more[name] }));
  return treeOf(await inMemoryView({ mailboxes, emails: [], version: 1 }).mailboxes(), naming);
}

type Wish = { readonly name?: string; readonly parent?: string | null; readonly role?: Wanted['role'] };

function wanted(tree: Tree, wishes: { readonly [name: string]: Wish }): Map<Id, Wanted> {
  return new Map(
    Object.entries(wishes).map(([full, { name, parent, role }]) => {
      const branch = tree.branches.get(id(full));
      const parentId = parent === undefined ? (branch?.parentId ?? null) : parent === null ? null : id(parent);
      const position = { name: name ?? branch?.name ?? '', parentId };
      return [id(full), { position, role: role === undefined ? (branch?.role ?? null) : role }];
    }),
  );
}

/** What happens until nothing is pending, when the mail server accepts everything: one line for each move. */
function course(start: Tree, wishes: { readonly [name: string]: Wish }): string[] {
  let tree = start;
  const pending = wanted(tree, wishes);
  const roles = new Map([...pending].map(([id, { role }]) => [id, role]));
  const aside = new Set<Id>();
  const lines: string[] = [];
  while (pending.size > 0) {
    const next = nextMove(tree, pending, aside, now);
    const branch = tree.branches.get(next.id);
    if (next.kind === 'refuse') lines.push(`${next.id}: ${next.error.type} ${next.error.properties ?? ''}`.trim());
    else lines.push(`${branch?.fullName} > ${next.fullName}`);
    const position = next.kind === 'aside' ? next.position : pending.get(next.id)?.position;
    if (next.kind === 'aside') aside.add(next.id);
    else pending.delete(next.id);
    if (next.kind === 'refuse' || branch === undefined || position === undefined) continue;
    tree = moved(tree, branch, position, next.fullName);
    const there = tree.branches.get(next.id);
    if (next.kind === 'move' && there !== undefined) tree = assigned(tree, there, roles.get(next.id) ?? null);
  }
  return lines;
}

describe('several Mailboxes move in an order in which that is possible', () => {
  const names = ['INBOX', 'A', 'A/B', 'A/B/C', 'D', 'E'];
  test.each<[what: string, wishes: { readonly [name: string]: Wish }, lines: string[]]>([
    ['one', { A: { name: 'Z' } }, ['A > Z']],
    ['a parent and what is below it', { A: { name: 'Z' }, 'A/B': { name: 'Y' } }, ['A > Z', 'Z/B > Z/Y']],
    ['into the place that another one leaves', { D: { name: 'E' }, E: { name: 'F' } }, ['E > F', 'D > E']],
    [
      'in a chain, the last one first',
      { A: { name: 'D' }, D: { name: 'E' }, E: { name: 'F' } },
      ['E > F', 'D > E', 'A > D'],
    ],
    [
      'in a circle, one steps aside',
      { D: { name: 'E' }, E: { name: 'D' } },
      [`D > ${aside('D')}`, 'E > D', `${aside('D')} > E`],
    ],
    [
      'in a circle of three',
      { A: { name: 'D' }, D: { name: 'E' }, E: { name: 'A' } },
      [`A > ${aside('A')}`, 'E > A', 'D > E', `${aside('A')} > D`],
    ],
    ['a child over its parent', { A: { parent: 'A/B' }, 'A/B': { parent: null } }, ['A/B > B', 'A > B/A']],
    ['below itself', { A: { parent: 'A' } }, ['a: invalidProperties parentId']],
    ['below what is below it', { A: { parent: 'A/B/C' } }, ['a: invalidProperties parentId']],
    [
      'into a circle, but for the last',
      { D: { parent: 'E' }, E: { parent: 'D' } },
      ['D > E/D', 'e: invalidProperties parentId'],
    ],
    ['where another one stays', { D: { name: 'E' } }, ['d: alreadyExists']],
    [
      'where another one is refused to leave',
      { D: { name: 'E' }, E: { name: 'A' } },
      ['e: alreadyExists', 'd: alreadyExists'],
    ],
    ['to the name of the inbox', { D: { name: 'inBox' } }, ['d: alreadyExists']],
    ['the inbox', { INBOX: { name: 'Outbox' } }, ['inbox: forbidden']],
    ['below the inbox', { D: { parent: 'INBOX' } }, ['D > INBOX/D']],
    ['below nothing', { D: { parent: 'nowhere' } }, ['d: invalidProperties parentId']],
    ['to a name with the delimiter', { D: { name: 'x/y' } }, ['d: invalidProperties name']],
    ['what is not there', { Z: { name: 'x' } }, ['z: notFound']],
    ['a role, which two want', { D: { role: 'sent' }, E: { role: 'sent' } }, ['D > D', 'e: invalidProperties role']],
    ['the role of the inbox', { INBOX: { role: 'sent' } }, ['inbox: invalidProperties role']],
  ])('%s', async (_, wishes, lines) => {
    expect(course(await treeFor(names), wishes)).toEqual(lines);
  });

  test('roles change hands in one call, and nobody takes the role of one who keeps it', async () => {
    const tree = await treeFor(['Sent', 'Trash', 'A']);
    expect(course(tree, { A: { role: 'sent' } })).toEqual(['a: invalidProperties role']);
    expect(course(tree, { A: { role: 'sent' }, Sent: { role: null } })).toEqual(['Sent > Sent', 'A > A']);
    expect(course(tree, { Trash: { role: 'sent' }, Sent: { role: 'trash' } })).toEqual([
      'Trash > Trash',
      'Sent > Sent',
    ]);
  });

  test('no mailbox gets in below what can have no children', async () => {
    const tree = await treeFor(['A', 'B'], { A: { attributes: ['\\noinferiors'] } });
    expect(course(tree, { B: { parent: 'A' } })).toEqual(['b: forbidden']);
    const flat = await treeFor(
      ['A', 'B'],
      { A: { delimiter: null }, B: { delimiter: null } },
      { prefix: '', delimiter: null },
    );
    expect(course(flat, { B: { parent: 'A' } })).toEqual(['b: forbidden']);
    expect(course(flat, { B: { name: 'x/y' } })).toEqual(['B > x/y']);
  });

  test('a node that cannot be selected has no role', async () => {
    const tree = await treeFor(['A'], { A: { selectable: false } });
    expect(course(tree, { A: { role: 'sent' } })).toEqual(['a: invalidProperties role']);
  });

  test('as deep as the limit, and no deeper', async () => {
    const deep = Array.from({ length: maxMailboxDepth - 1 }, (_, depth) =>
      Array(depth + 1)
        .fill('d')
        .join('/'),
    );
    const tree = await treeFor([...deep, 'A', 'A/B']);
    const last = deep.at(-1) ?? '';
    expect(course(tree, { 'A/B': { parent: last } })).toEqual([`A/B > ${last}/B`]);
    expect(course(tree, { A: { parent: last } })).toEqual(['a: invalidProperties parentId']);
  });
});

describe('full names', () => {
  test('begin with the prefix of the server, under which the inbox has no children', async () => {
    const dots = (name: string) => ({ [name]: { delimiter: '.' } });
    const names = ['INBOX', 'INBOX.A', 'INBOX.B'];
    const tree = await treeFor(names, Object.assign({}, ...names.map(dots)));
    expect(course(tree, { 'INBOX.A': { name: 'Z' } })).toEqual(['INBOX.A > INBOX.Z']);
    expect(course(tree, { 'INBOX.A': { parent: 'INBOX.B' } })).toEqual(['INBOX.A > INBOX.B.A']);
    expect(course(tree, { 'INBOX.A': { parent: 'INBOX' } })).toEqual(['inbox-a: forbidden']);
  });

  test('are as the server says where there is only an inbox', async () => {
    const naming = { prefix: 'INBOX.', delimiter: '.' };
    expect(await treeFor(['INBOX'], { INBOX: { delimiter: null } }, naming)).toMatchObject(naming);
  });

  test('keep what cannot be shown of a name that is not changed', async () => {
    const tree = await treeFor(['INBOX', 'A', 'A/\ufeff&bad', 'B']);
    const branch = tree.branches.get(id('A/\ufeff&bad'));
    expect(branch?.name).toBe('\ufffd&bad');
    expect(branch && ownNameOf(tree, branch)).toBe('\ufeff&bad');
    expect(course(tree, { 'A/\ufeff&bad': { parent: 'B' } })).toEqual(['A/\ufeff&bad > B/\ufeff&bad']);
  });

  test('of a Mailbox whose parent is not listed cannot be kept elsewhere', async () => {
    const tree = await treeFor(['A', 'A/hidden/C', 'B']);
    expect(course(tree, { 'A/hidden/C': { parent: 'B' } })).toEqual(['a-hidden-c: invalidProperties name']);
    expect(course(tree, { 'A/hidden/C': { parent: 'B', name: 'C' } })).toEqual(['A/hidden/C > B/C']);
    expect(course(tree, { A: { name: 'Z' } })).toEqual(['A > Z']);
  });
});

describe('what has to be kept so that a Mailbox has its role', () => {
  async function kept(
    names: readonly string[],
    wanted: {
      readonly [name: string]: Parameters<typeof factsToKeep>[1] extends ReadonlyMap<unknown, infer W> ? W : never;
    },
  ) {
    const entries = new Map(
      [...(await treeFor(names)).branches.values()].flatMap(({ entry }) =>
        entry ? [[entry.name, entry] as const] : [],
      ),
    );
    return Object.fromEntries(factsToKeep(entries, new Map(Object.entries(wanted))));
  }

  test.each<[string, string[], Parameters<typeof kept>[1], object]>([
    ['nothing, where its name says so', ['Sent'], { Sent: { role: 'sent' } }, {}],
    ['nothing, where it has none and looks like none', ['A'], { A: { role: null } }, {}],
    ['the role, where its name says nothing', ['A'], { A: { role: 'sent' } }, { A: { sortOrder: null, role: 'sent' } }],
    [
      'that it has none, where its name says otherwise',
      ['Sent'],
      { Sent: { role: null } },
      { Sent: { sortOrder: null, role: 'none' } },
    ],
    [
      'that neither has one, where one gives way to the other',
      ['Sent', 'Sent Items'],
      { Sent: { role: null }, 'Sent Items': { role: null } },
      { Sent: { sortOrder: null, role: 'none' }, 'Sent Items': { sortOrder: null, role: 'none' } },
    ],
    ['its order', ['A'], { A: { role: null, sortOrder: 4 } }, { A: { sortOrder: 4, role: null } }],
    [
      'its order, though it is the default',
      ['A'],
      { A: { role: null, sortOrder: 0 } },
      { A: { sortOrder: 0, role: null } },
    ],
  ])('%s', async (_, names, wishes, facts) => {
    expect(await kept(names, wishes)).toEqual(facts);
  });
});
