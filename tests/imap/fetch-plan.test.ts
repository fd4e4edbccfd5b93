import { describe, expect, test } from '@jest/globals';
import { compileCommand, list } from '../../shared/imap/arguments.ts';
import { fetchItems, planSections, sectionItem, sectionName } from '../../shared/imap/fetch-plan.ts';
import { imapLimits } from '../../shared/imap/limits.ts';
import type { MessageNeeds, SectionRequest } from '../../shared/methods/Email/mail.ts';

const wire = (needs: Partial<MessageNeeds>, preview = true) => {
  const items = fetchItems({ headers: 'none', structure: false, preview: false, ...needs }, { preview });
  return Buffer.concat(compileCommand('t', 'F', [list(...items)], 'plus'))
    .toString()
    .slice(4, -2);
};

describe('what is fetched', () => {
  test.each<[string, string, string]>([
    ['nothing is needed', wire({}), '(UID)'],
    ['some fields', wire({ headers: ['subject', 'from', 'subject'] }), '(UID BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])'],
    ['no fields', wire({ headers: [] }), '(UID)'],
    ['all fields', wire({ headers: 'all' }), '(UID BODY.PEEK[HEADER])'],
    ['a field that servers stumble over', wire({ headers: ['subject', 'x"y'] }), '(UID BODY.PEEK[HEADER])'],
    [
      'more fields than fit into a line',
      wire({ headers: Array.from({ length: 100 }, (_, n) => `x-field-${n}`) }),
      '(UID BODY.PEEK[HEADER])',
    ],
    ['structure and preview', wire({ structure: true, preview: true }), '(UID BODYSTRUCTURE PREVIEW)'],
    ['a preview the server does not make', wire({ preview: true }, false), '(UID)'],
  ])('is what is needed, and no more: %s', (_, items, expected) => {
    expect(items).toBe(expected);
  });

  test.each(['', '1', '2.10', '1.MIME', '1.2.HEADER', 'HEADER', 'TEXT'])('can be section "%s"', (section) => {
    expect(sectionName(section)).toBe(section);
  });

  test.each(['0', '1.', '.1', '1.0', 'MIME', '1 2', '1]', 'HEADER.FIELDS (X)', '1<0.5>', '\r\n'])(
    'cannot be section "%s"',
    (section) => {
      expect(() => sectionName(section)).toThrow('Not a section');
    },
  );
});

describe('sections of many messages', () => {
  const ask = (uid: number, section: string, maxOctets?: number): SectionRequest => ({
    place: { mailbox: 'INBOX', uidValidity: 1, uid },
    section,
    ...(maxOctets === undefined ? {} : { maxOctets }),
  });
  const outline = (requests: SectionRequest[]) =>
    planSections(requests).map(({ uids, sections }) => [
      uids,
      sections.map(({ section, maxOctets }) => `${section}:${maxOctets ?? 'all'}`),
    ]);

  test('are fetched together where the same is wanted of them', () => {
    expect(outline([ask(3, '1', 10), ask(1, '1', 10), ask(2, '1.1', 10), ask(4, '1', 20)])).toEqual([
      [[1, 3], ['1:10']],
      [[2], ['1.1:10']],
      [[4], ['1:20']],
    ]);
  });

  test('are asked once where several want parts of one', () => {
    expect(outline([ask(1, '1', 10), ask(1, '1'), ask(1, '1', 20), ask(1, '2', 5)])).toEqual([[[1], ['1:all', '2:5']]]);
  });

  test('are cut where the answer would be too much', () => {
    const half = imapLimits.sectionsPerCommandOctets / 2;
    const uids = planSections([1, 2, 3, 4, 5].map((uid) => ask(uid, '1', half))).map((fetch) => fetch.uids);
    expect(uids).toEqual([[1, 2], [3, 4], [5]]);
  });

  test('are cut where the command would be too long, and each is asked for once', () => {
    const requests = Array.from({ length: 9_000 }, (_, n) => ask(1, `${n + 1}`));
    const fetches = planSections([...requests, ask(2, '1')]);
    for (const { sections } of fetches) {
      const items = sections.map(({ section }) => sectionItem(section, 0, imapLimits.sectionOctetsMax));
      const line = Buffer.concat(compileCommand('t', 'F', [list(...items)], 'plus'));
      expect(line.length).toBeLessThan(imapLimits.fetchNamesOctetsMax + 100);
    }
    const ofOne = fetches.filter(({ uids }) => uids.includes(1)).flatMap(({ sections }) => sections);
    expect(ofOne).toEqual(requests);
    expect(fetches.length).toBeLessThan(requests.length / 20);
  });
});
