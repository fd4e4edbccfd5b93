import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, JsonObject, UTCDate } from '../../../shared/jmap/scalars.ts';
import { emailSubmission } from '../../../shared/methods/EmailSubmission/index.ts';
import { type KeptSubmission, submissionKind } from '../../../shared/methods/EmailSubmission/record.ts';
import { callMethod, mailAccount } from '../mail-account.ts';
import { sendingPorts } from '../sending-account.ts';

const ports = {
  ...mailAccount([]).ports,
  search: { search: async () => null, sort: async () => null },
  ...sendingPorts(),
};
const call = (verb: 'query' | 'queryChanges', args: JsonObject) =>
  callMethod<typeof ports>(emailSubmission.methods[verb], args, ports);

const submission = (n: number, more: Partial<KeptSubmission> = {}): KeptSubmission => ({
  identityId: (n % 2 ? 'I1' : 'I2') as Id,
  emailId: `e${9 - n}` as Id,
  threadId: `t${n % 3}` as Id,
  envelope: { mailFrom: { email: '', parameters: null }, rcptTo: [] },
  sendAt: `2026-01-0${n}T00:00:00Z` as UTCDate,
  undoStatus: 'final',
  deliveryStatus: null,
  messageId: '<x@y>',
  endOfSent: null,
  ledger: { state: 'sent' },
  ...more,
});
const put = (...entries: [number, KeptSubmission | null][]) =>
  ports.records.change(submissionKind, () => ({
    edits: entries.map(([n, value]) => ({ id: `S${n}` as Id, value })),
    answer: null,
  }));

beforeAll(async () => {
  await put([1, submission(1)], [3, submission(3)], [2, submission(2, { undoStatus: 'canceled' })], [4, submission(4)]);
});

describe('a query for EmailSubmissions', () => {
  test.each<{ args: JsonObject; ids: string[] }>([
    { args: {}, ids: ['S1', 'S2', 'S3', 'S4'] },
    { args: { filter: {} }, ids: ['S1', 'S2', 'S3', 'S4'] },
    { args: { filter: { identityIds: ['I1'] } }, ids: ['S1', 'S3'] },
    { args: { filter: { identityIds: [] } }, ids: [] },
    { args: { filter: { emailIds: ['e8', 'e6'] } }, ids: ['S1', 'S3'] },
    { args: { filter: { threadIds: ['t1'] } }, ids: ['S1', 'S4'] },
    { args: { filter: { undoStatus: 'canceled' } }, ids: ['S2'] },
    { args: { filter: { before: '2026-01-02T00:00:00Z' } }, ids: ['S1'] },
    { args: { filter: { after: '2026-01-02T00:00:00Z' } }, ids: ['S2', 'S3', 'S4'] },
    { args: { filter: { after: '2026-01-02T00:00:00Z', threadIds: ['t1'] } }, ids: ['S4'] },
    { args: { filter: { operator: 'NOT', conditions: [{ threadIds: ['t1'] }] } }, ids: ['S2', 'S3'] },
    { args: { sort: [{ property: 'sentAt', isAscending: false }] }, ids: ['S4', 'S3', 'S2', 'S1'] },
    { args: { sort: [{ property: 'emailId' }] }, ids: ['S4', 'S3', 'S2', 'S1'] },
    {
      args: { sort: [{ property: 'threadId' }, { property: 'sendAt', isAscending: false }] },
      ids: ['S3', 'S4', 'S1', 'S2'],
    },
    { args: { position: 1, limit: 2 }, ids: ['S2', 'S3'] },
  ])('$args finds $ids', async ({ args, ids }) => {
    expect(await call('query', args)).toMatchObject({ ids, canCalculateChanges: true });
  });

  test('for what they are not is refused', async () => {
    expect(await call('query', { filter: { subject: 'x' } })).toMatchObject({ error: { type: 'unsupportedFilter' } });
    expect(await call('query', { sort: [{ property: 'undoStatus' }] })).toMatchObject({
      error: { type: 'unsupportedSort' },
    });
  });

  test('tells what has changed in its results', async () => {
    const args = { filter: { undoStatus: 'final' }, sort: [{ property: 'sentAt', isAscending: false }] };
    const old = await call('query', args);
    await put([2, submission(2)], [5, submission(5)]);
    await put([1, null]);
    expect(
      await call('queryChanges', { ...args, sinceQueryState: old.queryState as string, calculateTotal: true }),
    ).toMatchObject({
      removed: expect.arrayContaining(['S1']),
      added: [
        { id: 'S5', index: 0 },
        { id: 'S2', index: 3 },
      ],
      total: 4,
    });
    expect(await call('queryChanges', { ...args, sinceQueryState: 'unheard of' })).toMatchObject({
      error: { type: 'cannotCalculateChanges' },
    });
  });
});
