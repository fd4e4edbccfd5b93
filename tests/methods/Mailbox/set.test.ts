import { describe, expect, test } from '@jest/globals';
import { OutcomeUnknown } from '../../../shared/jmap/errors.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import type { MailboxFailure } from '../../../shared/methods/Mailbox/writing.ts';
import { mailboxSetAccount } from './set-account.ts';

type Answer = JsonObject & {
  readonly oldState: string;
  readonly newState: string;
  readonly created: { readonly [id: string]: JsonObject & { readonly id: string } } | null;
};

describe('Mailbox/set (RFC 8621 §2.5)', () => {
  const refusals: [failure: MailboxFailure, create: object, rename: object, destroy: object][] = [
    ['forbidden', { type: 'forbidden' }, { type: 'forbidden' }, { type: 'forbidden' }],
    ['overQuota', { type: 'overQuota' }, { type: 'overQuota' }, { type: 'overQuota' }],
    ['missing', { type: 'notFound' }, { type: 'notFound' }, { type: 'notFound' }],
    ['name', { properties: ['name'] }, { properties: ['name'] }, { type: 'forbidden' }],
    ['refused', { properties: ['name'] }, { properties: ['name'] }, { type: 'forbidden' }],
    ['lost', { type: 'serverUnavailable' }, { type: 'serverUnavailable' }, { type: 'serverUnavailable' }],
    ['hasChild', {}, {}, { type: 'mailboxHasChild' }],
    ['changed', {}, {}, { type: 'mailboxHasEmail' }],
  ];
  test.each(refusals)(
    'what the mail server refuses is refused, and nothing changes: %s',
    async (failure, ...errors) => {
      const { call, ids, server } = mailboxSetAccount(['A', 'B'], { refuses: () => failure });
      const { A: a, B: b } = await ids();
      const { state } = await call('get', { ids: [] });
      const args = { create: { c: { name: 'C' } }, update: { [String(a)]: { name: 'Z' } }, destroy: [String(b)] };
      const answer = await call('set', args);
      const [create, rename, destroy] = errors;
      expect(answer).toMatchObject({ created: null, updated: null, destroyed: null, oldState: state, newState: state });
      expect(answer).toMatchObject({
        notCreated: { c: create },
        notUpdated: { [String(a)]: rename },
        notDestroyed: { [String(b)]: destroy },
      });
      expect(server.names()).toEqual(['A', 'B', 'INBOX']);
    },
  );

  test('a mailbox that another client creates a moment before is alreadyExists with its id', async () => {
    const { call, ids, server } = mailboxSetAccount([], {
      refuses: (operation, name) => {
        if (operation === 'create' && !server.names().includes(name)) server.create(name);
        return null;
      },
    });
    await ids();
    const { notCreated } = await call('set', { create: { c: { name: 'C' } } });
    const { C: existingId } = await ids();
    expect(notCreated).toMatchObject({ c: { type: 'alreadyExists', existingId } });
  });

  test('two of one call that would have one name, or one role', async () => {
    const { call } = mailboxSetAccount([]);
    const { created, notCreated } = (await call('set', {
      create: { a: { name: 'A', role: 'sent' }, b: { name: 'A' }, c: { name: 'C', role: 'sent' } },
    })) as Answer;
    expect(notCreated).toMatchObject({
      b: { type: 'alreadyExists', existingId: created?.a?.id },
      c: { type: 'invalidProperties', properties: ['role'] },
    });
  });

  test('an answer that was lost is found out from what there is', async () => {
    const { call, ids, server, operations } = mailboxSetAccount(['A', 'B'], {
      refuses: (operation, name, to) => {
        if (operation === 'create') server.create(name);
        if (operation === 'rename') server.rename(name, to ?? '');
        if (operation === 'remove') server.remove(name);
        return operation === 'subscribe' ? null : 'unclear';
      },
    });
    const { A: a, B: b } = await ids();
    const answer = await call('set', { create: { c: { name: 'C' } }, destroy: [String(b)] });
    expect(answer).toMatchObject({ created: { c: { totalEmails: 0 } }, destroyed: [b], notDestroyed: null });
    expect(operations.filter((operation) => operation.startsWith('create'))).toHaveLength(1);
    expect(await call('set', { update: { [String(a)]: { name: 'Z' } } })).toMatchObject({
      notUpdated: { [String(a)]: { type: 'serverUnavailable' } },
    });
  });

  test('what cannot be looked at after it was done is OutcomeUnknown, and not serverUnavailable', async () => {
    const { call, ids, surveys } = mailboxSetAccount([], {
      refuses: () => {
        surveys.failures = Number.POSITIVE_INFINITY;
        return null;
      },
    });
    await ids();
    await expect(call('set', { create: { c: { name: 'C' } } })).rejects.toBeInstanceOf(OutcomeUnknown);
  });

  test('what is only seen at a second look is reported as it is', async () => {
    const { call, ids, surveys } = mailboxSetAccount(['A'], {
      refuses: (operation) => {
        if (operation === 'rename') surveys.failures = 1;
        return null;
      },
    });
    const { A: a } = await ids();
    const answer = (await call('set', { update: { [String(a)]: { name: 'Z' } } })) as Answer;
    expect(answer).toMatchObject({ updated: { [String(a)]: null }, notUpdated: null });
    expect(await call('changes', { sinceState: answer.oldState })).toMatchObject({
      ...{ updated: [a], newState: answer.newState },
    });
  });

  test('a rename whose subscription fails is taken back', async () => {
    const { call, ids, server, operations } = mailboxSetAccount(['A', 'A/B'], {
      refuses: (operation, name) => (operation === 'subscribe' && name.startsWith('Z') ? 'refused' : null),
    });
    const { A: a } = await ids();
    const { state } = await call('get', { ids: [] });
    expect(await call('set', { update: { [String(a)]: { name: 'Z' } } })).toMatchObject({
      updated: null,
      notUpdated: { [String(a)]: { type: 'invalidProperties' } },
      ...{ oldState: state, newState: state },
    });
    expect(server.names()).toEqual(['A', 'A/B', 'INBOX']);
    expect(operations.filter((operation) => operation.startsWith('rename'))).toEqual([
      'rename A to Z',
      'rename Z to A',
    ]);
  });

  test('a rename that cannot be taken back is refused with a word of what is so now, and the next /changes tells it', async () => {
    const { call, ids, server } = mailboxSetAccount(['A', 'A/B', 'D'], {
      refuses: (operation, name, to) => {
        const isBack = operation === 'rename' && to === 'A';
        return isBack || (operation === 'subscribe' && name.startsWith('D/Z')) ? 'refused' : null;
      },
    });
    const { A: a, D: d, 'A/B': b } = await ids();
    const answer = (await call('set', { update: { [String(a)]: { name: 'Z', parentId: String(d) } } })) as Answer;
    expect(answer).toMatchObject({ updated: null, newState: answer.oldState });
    expect(answer.notUpdated).toEqual({
      [String(a)]: {
        ...{ type: 'invalidProperties', properties: ['name'] },
        description: `name: the mail server refuses it; it could not be taken back: name is "Z", parentId is "${d}", isSubscribed is false now`,
      },
    });
    expect(server.names()).toEqual(['D', 'D/Z', 'D/Z/B', 'INBOX']);
    expect(await call('changes', { sinceState: answer.newState })).toMatchObject({
      updated: expect.arrayContaining([a, b]),
    });
    expect(await call('get', { ids: [String(a)], properties: ['name', 'parentId', 'isSubscribed'] })).toMatchObject({
      list: [{ name: 'Z', parentId: d, isSubscribed: false }],
    });
  });

  test('one of two that exchange their names and cannot be put back is shown under its own name', async () => {
    const { call, ids, operations } = mailboxSetAccount(['A', 'B'], {
      refuses: (operation, _, to) => (operation === 'rename' && to === 'A' ? 'refused' : null),
    });
    const { A: a, B: b } = await ids();
    const answer = await call('set', { update: { [String(a)]: { name: 'B' }, [String(b)]: { name: 'A' } } });
    expect(answer).toMatchObject({
      updated: null,
      notUpdated: {
        [String(a)]: { type: 'alreadyExists', description: expect.stringMatching(/back: isSubscribed is false now$/) },
        [String(b)]: { type: 'invalidProperties', description: 'name: the mail server refuses it' },
      },
    });
    expect(operations.filter((operation) => operation.startsWith('subscribe'))).toEqual([]);
    expect(await call('get', { ids: [String(a), String(b)], properties: ['name'] })).toMatchObject({
      list: [{ name: 'A' }, { name: 'B' }],
    });
  });

  test('when one of two that exchange their names is refused, both are where they were', async () => {
    const { call, ids, server } = mailboxSetAccount(['A', 'B'], {
      refuses: (operation, name, to) =>
        operation === 'rename' && name.startsWith('A--') && to === 'B' ? 'refused' : null,
    });
    const { A: a, B: b } = await ids();
    const validities = [server.uidValidity('A'), server.uidValidity('B')];
    const answer = await call('set', { update: { [String(a)]: { name: 'B' }, [String(b)]: { name: 'A' } } });
    expect(answer).toMatchObject({ updated: null, notUpdated: { [String(a)]: {}, [String(b)]: {} } });
    expect([server.uidValidity('A'), server.uidValidity('B')]).toEqual(validities);
    expect(server.names()).toEqual(['A', 'B', 'INBOX']);
  });

  test('a record is not updated when its sort order cannot be stored: its new name is taken back', async () => {
    const { call, ids, server, recordStore } = mailboxSetAccount(['A', 'B']);
    const { A: a, B: b } = await ids();
    recordStore.failCall(1);
    const answer = await call('set', {
      update: { [String(a)]: { name: 'Z', sortOrder: 4 }, [String(b)]: { sortOrder: 5 } },
    });
    expect(answer).toMatchObject({
      updated: null,
      notUpdated: { [String(a)]: { type: 'serverUnavailable' }, [String(b)]: { type: 'serverUnavailable' } },
    });
    expect(server.names()).toEqual(['A', 'B', 'INBOX']);
    expect(await call('get', { ids: [String(a)], properties: ['name', 'sortOrder'] })).toMatchObject({
      list: [{ name: 'A', sortOrder: 100 }],
    });
  });

  test('a Mailbox whose sort order cannot be stored is created, and the answer says what it has instead', async () => {
    const { call, ids, recordStore } = mailboxSetAccount([]);
    await ids();
    // The first call reads what is kept of the new mailbox.
    recordStore.failCall(2);
    const { created } = (await call('set', { create: { c: { name: 'C', sortOrder: 4 } } })) as Answer;
    expect(created?.c).toMatchObject({ sortOrder: 100 });
    expect(await call('get', { ids: [created?.c?.id ?? ''], properties: ['sortOrder'] })).toMatchObject({
      list: [{ sortOrder: 100 }],
    });
  });

  test('a Mailbox whose subscription fails is created, and the answer says so', async () => {
    const { call } = mailboxSetAccount([], { refuses: (operation) => (operation === 'subscribe' ? 'refused' : null) });
    const { created } = (await call('set', { create: { c: { name: 'C' } } })) as Answer;
    expect(created?.c).toMatchObject({ isSubscribed: false });
  });

  test('what others do meanwhile is after the new state', async () => {
    const { call, ids, server, deliver } = mailboxSetAccount(['A', 'B'], {
      refuses: (operation) => {
        if (operation === 'rename') {
          server.create('Theirs');
          deliver('B');
        }
        return null;
      },
    });
    const { A: a } = await ids();
    const answer = (await call('set', { update: { [String(a)]: { name: 'Z' } } })) as Answer;
    const between = await call('changes', { sinceState: answer.oldState });
    const { Theirs: theirs, B: b } = await ids();
    expect(between).toMatchObject({ created: [theirs], updated: expect.arrayContaining([a, b]) });
    expect(await call('changes', { sinceState: answer.newState })).toMatchObject({ created: [theirs], updated: [b] });
  });

  test('a role that becomes free goes to another Mailbox, which the next /changes tells', async () => {
    const { call, ids } = mailboxSetAccount(['Sent', 'Sent Items']);
    const { Sent: sent, 'Sent Items': items } = await ids();
    const { newState, destroyed } = await call('set', { destroy: [String(sent)] });
    expect(destroyed).toEqual([sent]);
    expect(await call('changes', { sinceState: newState as string })).toMatchObject({
      updated: [items],
      destroyed: [],
    });
  });

  test('a Mailbox keeps the role that it had by its name, and gets none by a new one', async () => {
    const { call, ids, kept } = mailboxSetAccount(['Sent', 'A']);
    const { Sent: sent, A: a } = await ids();
    const rename = { [String(sent)]: { name: 'Gone out' }, [String(a)]: { name: 'Trash' } };
    expect(await call('set', { update: rename })).toMatchObject({
      updated: { [String(sent)]: null, [String(a)]: null },
    });
    const properties = ['role'];
    expect(await call('get', { ids: [String(sent), String(a)], properties })).toMatchObject({
      list: [{ role: 'sent' }, { role: null }],
    });
    expect(await kept()).toMatchObject({ [String(sent)]: { role: 'sent' }, [String(a)]: { role: 'none' } });
  });

  test('a Mailbox keeps the role that its server told by its name, and the one that is made there anew has none', async () => {
    const { call, ids, server } = mailboxSetAccount(['Dispatched'], {
      // QUIRK(dovecot): attributes are those of names.
      refuses: (operation) => {
        if (operation === 'rename') server.mark('Dispatched', []);
        return null;
      },
    });
    server.mark('Dispatched', ['\\Sent']);
    const { Dispatched: sent } = await ids();
    expect(await call('set', { update: { [String(sent)]: { name: 'Gone out' } } })).toMatchObject({ notUpdated: null });
    server.create('Dispatched', { attributes: ['\\Sent'] });
    const { Dispatched: anew } = await ids();
    expect(await call('get', { ids: [String(sent), String(anew)], properties: ['name', 'role'] })).toMatchObject({
      list: [
        { name: 'Gone out', role: 'sent' },
        { name: 'Dispatched', role: null },
      ],
    });
  });

  test('a role that is set changes the order where none was given, and the client is told', async () => {
    const { call, ids } = mailboxSetAccount(['A']);
    const { A: a } = await ids();
    expect(await call('set', { update: { [String(a)]: { role: 'sent' } } })).toMatchObject({
      updated: { [String(a)]: { sortOrder: 3 } },
    });
  });

  test('nothing is kept of a Mailbox that is destroyed', async () => {
    const { call, kept } = mailboxSetAccount([]);
    const { created } = (await call('set', { create: { c: { name: 'C', sortOrder: 4 } } })) as Answer;
    expect(Object.keys(await kept())).toEqual([created?.c?.id]);
    await call('set', { destroy: [created?.c?.id ?? ''] });
    expect(await kept()).toEqual({});
  });

  test('mail that arrives between the look and the command is not destroyed, asked or unasked', async () => {
    for (const onDestroyRemoveEmails of [false, true]) {
      const { call, ids, server, deliver } = mailboxSetAccount(['A'], {
        refuses: (operation) => {
          if (operation === 'remove') deliver('A');
          return null;
        },
      });
      const { A: a } = await ids();
      const answer = await call('set', { destroy: [String(a)], onDestroyRemoveEmails });
      expect(answer).toMatchObject({ notDestroyed: { [String(a)]: { type: 'mailboxHasEmail' } } });
      expect(server.messages('A')).toHaveLength(1);
    }
  });

  test('a change of sort orders alone asks the mail server for nothing but what there is', async () => {
    const { call, ids, operations, surveys } = mailboxSetAccount(['A', 'B']);
    const { A: a, B: b } = await ids();
    surveys.count = 0;
    const update = { [String(a)]: { sortOrder: 2 }, [String(b)]: { sortOrder: 1 } };
    expect(await call('set', { update })).toMatchObject({ updated: { [String(a)]: null, [String(b)]: null } });
    expect({ operations, surveys: surveys.count }).toEqual({ operations: [], surveys: 1 });
  });
});
