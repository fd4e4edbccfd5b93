import { describe, expect, test } from '@jest/globals';
import type { Email } from '../../../shared/catalog/email.ts';
import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { emailOf, threadAccount } from './thread-account.ts';

const two = [emailOf('t1', 'e1', 10), emailOf('t2', 'e2', 20)];

describe('Thread/get (RFC 8621 §3.1)', () => {
  const threads: [string, Email[], string[]][] = [
    ['one Email', [emailOf('t1', 'e1', 10)], ['e1']],
    [
      'the oldest first',
      [emailOf('t1', 'e1', 30), emailOf('t1', 'e2', 10), emailOf('t1', 'e3', 20)],
      ['e2', 'e3', 'e1'],
    ],
    [
      'of one moment, by id',
      [emailOf('t1', 'e9', 10), emailOf('t1', 'e1', 10), emailOf('t1', 'e5', 10)],
      ['e1', 'e5', 'e9'],
    ],
    ['none of another Thread', [emailOf('t1', 'e1', 10), emailOf('t2', 'e2', 5)], ['e1']],
    ['none that is flagged \\Deleted', [emailOf('t1', 'e1', 10), emailOf('t1', 'e2', 5, true)], ['e1']],
  ];
  test.each(threads)('emailIds are: %s', async (_, emails, emailIds) => {
    const { call } = threadAccount({ emails });
    expect(await call('get', { ids: ['t1'] })).toEqual({
      accountId: 'a',
      state: 'epoch-1',
      list: [{ id: 't1', emailIds }],
      notFound: [],
    });
  });

  const asked: [string, JsonObject, JsonObject][] = [
    [
      'some',
      { ids: ['t2', 't1'] },
      {
        list: [
          { id: 't2', emailIds: ['e2'] },
          { id: 't1', emailIds: ['e1'] },
        ],
      },
    ],
    [
      'all',
      { ids: null },
      {
        list: [
          { id: 't1', emailIds: ['e1'] },
          { id: 't2', emailIds: ['e2'] },
        ],
      },
    ],
    ['one twice', { ids: ['t1', 't1'] }, { list: [{ id: 't1', emailIds: ['e1'] }] }],
    ['ids only', { ids: ['t1'], properties: ['id'] }, { list: [{ id: 't1' }] }],
    ['one that is not there', { ids: ['t1', 't9'], properties: ['id'] }, { list: [{ id: 't1' }], notFound: ['t9'] }],
  ];
  test.each(asked)('gives %s: %j', async (_, args, expected) => {
    const { call } = threadAccount({ emails: two });
    const answer = await call('get', args);
    expect(answer).toEqual({ accountId: 'a', state: 'epoch-1', notFound: [], ...expected });
  });

  test('a Thread whose Emails are all flagged \\Deleted is notFound, and not among all', async () => {
    const { call } = threadAccount({ emails: [emailOf('t1', 'e1', 10, true), emailOf('t2', 'e2', 20)] });
    expect(await call('get', { ids: ['t1'] })).toMatchObject({ list: [], notFound: ['t1'] });
    expect(await call('get', { ids: null })).toMatchObject({ list: [{ id: 't2', emailIds: ['e2'] }] });
  });

  test('ids: [] asks for the state and nothing else', async () => {
    const { call, views, reads } = threadAccount({ emails: two });
    expect(await call('get', { ids: [] })).toEqual({ accountId: 'a', state: 'epoch-1', list: [], notFound: [] });
    expect({ views, reads }).toEqual({ views: ['recent'], reads: { blocks: [], emails: 0, threads: 0 } });
  });

  const refused: [string, JsonObject][] = [
    ['an unknown property', { ids: ['t1'], properties: ['subject'] }],
    ['an id that cannot be one', { ids: ['t 1'] }],
    ['ids that are no array', { ids: 't1' }],
    ['an unknown argument', { ids: ['t1'], colour: 'red' }],
  ];
  test.each(refused)('%s is invalidArguments', async (_, args) => {
    const { call } = threadAccount({ emails: two });
    expect(await call('get', args)).toMatchObject({ error: { type: 'invalidArguments' } });
  });

  test.each<[string, JsonObject, number, string]>([
    ['as many ids as maxObjectsInGet', { ids: ['t1', 't2'] }, 2, 'list'],
    ['more ids than maxObjectsInGet', { ids: ['t1', 't2'] }, 1, 'requestTooLarge'],
    ['all Threads, as many as maxObjectsInGet', { ids: null }, 2, 'list'],
    ['all Threads, more than maxObjectsInGet', { ids: null }, 1, 'requestTooLarge'],
  ])('%s: %j within %d gives %s', async (_, args, maxObjectsInGet, expected) => {
    const { call, context } = threadAccount({ emails: two });
    const answer = await call('get', args, { ...context, limits: { ...context.limits, maxObjectsInGet } });
    if (expected === 'list') expect(answer).toMatchObject({ notFound: [] });
    else expect(answer).toMatchObject({ error: { type: expected } });
  });
});
