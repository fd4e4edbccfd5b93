import { describe, expect, test } from '@jest/globals';
import { nameSetAside } from '../../../shared/catalog/set-aside.ts';
import type { Id } from '../../../shared/jmap/scalars.ts';
import { factsToKeep } from '../../../shared/methods/Mailbox/kept-facts.ts';
import { nextMove, type Pending, type Wanted } from '../../../shared/methods/Mailbox/moves.ts';
import { maxMailboxDepth } from '../../../shared/methods/Mailbox/name.ts';
import { assigned, grown, moved, ownNameOf, type Tree, treeOf, without } from '../../../shared/methods/Mailbox/tree.ts';
import { inMemoryView, type PlainAccount } from '../../catalog/query/in-memory-view.ts';

const now = 1_800_000_000_000;
const aside = (name: string) => nameSetAside(name, now);

const id = (name: string) => name.toLowerCase().replace(/[^a-z0-9#]/g, '-') as Id;

/** A tree of mailboxes by full name; ids are their full names with hyphens. */
async function treeFor(
  names: readonly string[],
  more: { readonly [name: string]: Partial<PlainAccount['mailboxes'][number]> } = {},
  naming = { prefix: '', delimiter: '/' as string | null },
): Promise<Tree> {
  const mailboxes = names.map((name, index) => ({ key: index + 1, id: id(name), name, ...more[name] }));
  return treeOf(await inMemoryView({ mailboxes, emails: [], version: 1 }).mailboxes(), naming);
}

/** null: it is to be destroyed. What begins with `#` is to be created. */
type Wish = { readonly name?: string; readonly parent?: string | null; readonly role?: Wanted['role'] } | null;

function wanted(tree: Tree, wishes: { readonly [name: string]: Wish }): Map<Id, Wanted | null> {
  return new Map(
    Object.entries(wishes).map(([full, wish]) => {
      if (wish === null) return [id(full), null];
      const { name, parent, role } = wish;
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
  const wanting: Pending = wanted(tree, wishes);
  const pending = new Map(wanting);
  const aside = new Set<Id>();
  const lines: string[] = [];
  while (pending.size > 0) {
    const next = nextMove(tree, pending, aside, now);
    const branch = tree.branches.get(next.id);
    if (next.kind === 'refuse') lines.push(`${next.id}: ${next.error.type} ${next.error.properties ?? ''}`.trim());
    else if (next.kind === 'destroy') lines.push(`${branch?.fullName} ends`);
    else lines.push(`${branch?.fullName ?? next.id} > ${next.fullName}`);
    const role = wanting.get(next.id)?.role ?? null;
    const position = next.kind === 'aside' ? next.position : wanting.get(next.id)?.position;
    if (next.kind === 'aside') aside.add(next.id);
    else pending.delete(next.id);
    if (next.kind === 'destroy') tree = without(tree, next.id);
    if (next.kind === 'refuse' || next.kind === 'destroy' || position === undefined) continue;
    if (next.kind === 'create')
      tree = grown(tree, { id: next.id, entry: null, ...position, role, fullName: next.fullName });
    if (branch === undefined) continue;
    tree = moved(tree, branch, position, next.fullName);
    const there = tree.branches.get(next.id);
    if (next.kind === 'move' && there !== undefined) tree = assigned(tree, there, role);
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
    // What counts is how deep it is in the end.
    expect(course(tree, { A: { parent: last }, 'A/B': { parent: null } })).toEqual(['A/B > B', `A > ${last}/A`]);
    expect(course(tree, { A: { parent: last }, 'A/B': null })).toEqual(['A/B ends', `A > ${last}/A`]);
    const up = course(tree, { A: { parent: last }, 'd/d': { name: 'up', parent: null } });
    expect(up).toEqual(['d/d > up', `A > up${last.slice('d/d'.length)}/A`]);
    const down = course(tree, { A: { parent: last }, 'A/B': { name: 'C' } });
    expect(down).toEqual(['A/B > A/C', 'a: invalidProperties parentId']);
  });
});

describe('Mailboxes are made, moved and destroyed in an order in which all of it is possible', () => {
  const names = ['INBOX', 'X', 'X/C', 'Y', 'Sent'];
  test.each<[what: string, wishes: { readonly [name: string]: Wish }, lines: string[]]>([
    [
      'what needs no name that another one has: destructions come last',
      { 'X/C': null, Y: { name: 'Z' }, '#a': { name: 'A' } },
      ['Y > Z', '#a > A', 'X/C ends'],
    ],
    ['into a name that another one leaves', { '#a': { name: 'X' }, X: { name: 'Z' } }, ['X > Z', '#a > X']],
    ['into the name of one that ends', { '#a': { name: 'Y' }, Y: null }, ['Y ends', '#a > Y']],
    [
      'one moves into the name of one that ends',
      { 'X/C': { name: 'Y', parent: null }, Y: null },
      ['Y ends', 'X/C > Y'],
    ],
    [
      'in a chain',
      { '#a': { name: 'X' }, X: { name: 'Y' }, Y: null, '#b': { name: 'B', parent: '#a' } },
      ['Y ends', 'X > Y', '#a > X', '#b > X/B'],
    ],
    [
      'a parent after its children have left it or ended',
      { X: null, 'X/C': { parent: 'Y' }, '#a': { name: 'X' } },
      ['X/C > Y/C', 'X ends', '#a > X'],
    ],
    [
      'a parent before its children',
      { '#b': { name: 'B', parent: '#a' }, '#a': { name: 'A' } },
      ['#a > A', '#b > A/B'],
    ],
    ['below a new one', { Y: { parent: '#a' }, '#a': { name: 'A' } }, ['#a > A', 'Y > A/Y']],
    [
      'below a new one that has its name: it gives way',
      { '#a': { name: 'Y' }, Y: { parent: '#a', name: 'Old' } },
      [`Y > ${aside('Y')}`, '#a > Y', `${aside('Y')} > Y/Old`],
    ],
    [
      'a child takes the place of its parent, which ends',
      { X: null, 'X/C': { name: 'X', parent: null } },
      [`X > ${aside('X')}`, `${aside('X')}/C > X`, `${aside('X')} ends`],
    ],
    [
      'a child takes the place of its parent, which goes below it',
      { X: { parent: 'X/C' }, 'X/C': { name: 'X', parent: null } },
      [`X > ${aside('X')}`, `${aside('X')}/C > X`, `${aside('X')} > X/X`],
    ],
    [
      'a new one takes the place of one that ends, and its children',
      { '#a': { name: 'X' }, 'X/C': { parent: '#a' }, X: null, Y: null },
      ['Y ends', `X > ${aside('X')}`, '#a > X', `${aside('X')}/C > X/C`, `${aside('X')} ends`],
    ],
    [
      'the role of one that gives it away',
      { '#a': { name: 'A', role: 'sent' }, Sent: { role: null } },
      ['Sent > Sent', '#a > A'],
    ],
    ['the role of one that ends', { '#a': { name: 'A', role: 'sent' }, Sent: null }, ['Sent ends', '#a > A']],
    [
      'name and role of one that goes below it',
      { '#a': { name: 'Sent', role: 'sent' }, Sent: { parent: '#a', role: null } },
      [`Sent > ${aside('Sent')}`, '#a > Sent', `${aside('Sent')} > Sent/Sent`],
    ],
    ['a name that is not freed', { '#a': { name: 'X' }, Y: null }, ['#a: alreadyExists', 'Y ends']],
    [
      'a name that two want',
      { '#a': { name: 'Y' }, '#b': { name: 'Y' }, Y: null },
      ['Y ends', '#a > Y', '#b: alreadyExists'],
    ],
    [
      'a role that is kept',
      { '#a': { name: 'A', role: 'sent' }, Sent: { name: 'Z' } },
      ['#a: invalidProperties role', 'Sent > Z'],
    ],
    ['a name of one whose child stays', { '#a': { name: 'X' }, X: null }, ['x: mailboxHasChild', '#a: alreadyExists']],
    ['what gets a child', { '#a': { name: 'A', parent: 'Y' }, Y: null }, ['#a > Y/A', 'y: mailboxHasChild']],
    [
      'below what ends',
      { '#a': { name: 'C', parent: 'X' }, 'X/C': null, X: null },
      ['X/C ends', '#a > X/C', 'x: mailboxHasChild'],
    ],
    [
      'in a circle of parents',
      { '#a': { name: 'A', parent: '#b' }, '#b': { name: 'B', parent: '#a' } },
      ['#a: invalidProperties parentId', '#b: invalidProperties parentId'],
    ],
    ['below what is not there', { '#a': { name: 'A', parent: '#b' } }, ['#a: invalidProperties parentId']],
    ['what is not there', { Nothing: null }, ['nothing: notFound']],
  ])('%s', async (_, wishes, lines) => {
    expect(course(await treeFor(names), wishes)).toEqual(lines);
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
