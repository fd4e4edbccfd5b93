import { expect, test } from '@jest/globals';
import { baseSubject } from '../../../shared/catalog/query/base-subject.ts';

test.each([
  ['tea', 'tea'],
  ['  tea\t\r\n time ', 'tea time'],
  ['Re: tea', 'tea'],
  ['RE: re:Re : tea', 'tea'],
  ['Fw: tea', 'tea'],
  ['Fwd: tea', 'tea'],
  ['Re[2]: tea', 'tea'],
  ['[list] tea', 'tea'],
  ['[list] Re: [other] tea', 'tea'],
  ['[list][other] Re: tea', 'tea'],
  ['Re: [list] Fwd: tea', 'tea'],
  ['[list]', '[list]'],
  ['Re: [list]', '[list]'],
  ['[a] [b]', '[b]'],
  ['tea (fwd)', 'tea'],
  ['tea (fwd) (FWD)', 'tea'],
  ['[fwd: tea]', 'tea'],
  ['[Fwd: Re: [fwd: tea (fwd)]]', 'tea'],
  ['[fwd: tea] later', 'later'],
  ['Re:', ''],
  ['', ''],
  ['Reply: tea', 'Reply: tea'],
  ['Forward: tea', 'Forward: tea'],
  ['AW: tea', 'AW: tea'],
  ['a [list] tea', 'a [list] tea'],
  ['[un[closed] tea', '[un[closed] tea'],
])('the base of the subject %j is %j', (subject, base) => {
  expect(baseSubject(subject)).toBe(base);
});

test.each([
  ['blobs', '[a]'.repeat(100_000)],
  ['replies', 're:'.repeat(100_000)],
  ['forwards', '[fwd:'.repeat(100_000)],
  ['trailers', '(fwd)'.repeat(100_000)],
])('a subject of endless %s is given up after the limit', (_, subject) => {
  expect(baseSubject(subject).length).toBeLessThanOrEqual(1000);
});
