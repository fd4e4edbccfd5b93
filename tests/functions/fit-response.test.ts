import { describe, expect, test } from '@jest/globals';
import { fittedResponse } from '../../functions/http/fit-response.ts';
import type { Invocation } from '../../shared/jmap/request.ts';
import type { Id } from '../../shared/jmap/scalars.ts';

const call = (name: string, octets: number, callId: string): Invocation => [name, { text: 'x'.repeat(octets) }, callId];
const isWriting = (name: string) => name.endsWith('/set');
const shorten = (methodResponses: Invocation[], maxOctets: number) =>
  fittedResponse(maxOctets, isWriting).write({ methodResponses, sessionState: 's' });
const namesOf = (methodResponses: readonly Invocation[]) =>
  methodResponses.map(([name, , callId]) => `${name} ${callId}`);

describe('a response', () => {
  test('that is small enough is the Response object as it is', () => {
    const response = { methodResponses: [call('A/get', 3, 'ä')], createdIds: { k: 'i' as Id }, sessionState: 's' };
    const { json } = fittedResponse(1_000, isWriting).write(response);
    expect(JSON.parse(json)).toEqual(response);
  });

  test('without calls is one too', () => {
    expect(JSON.parse(shorten([], 1_000).json)).toEqual({ methodResponses: [], sessionState: 's' });
  });

  test.each<[string, Invocation[], string[]]>([
    ['the call that does not fit', [call('A/get', 2_000, 'a'), call('A/get', 10, 'b')], ['error a', 'A/get b']],
    [
      'later calls first',
      [call('A/get', 500, 'a'), call('B/get', 600, 'b'), call('C/get', 100, 'c')],
      ['A/get a', 'error b', 'C/get c'],
    ],
    ['never what was written', [call('A/get', 500, 'a'), call('A/set', 700, 'b')], ['error a', 'A/set b']],
    [
      'never an error',
      [['error', { type: 'serverFail', description: 'x'.repeat(30) }, 'a'], call('A/get', 2_000, 'b')],
      ['error a', 'error b'],
    ],
  ])('that is too large leaves out %s', (_, methodResponses, names) => {
    const fitted = shorten(methodResponses, 1_000);
    expect(Buffer.byteLength(fitted.json)).toBeLessThanOrEqual(1_000);
    expect(namesOf(fitted.methodResponses)).toEqual(names);
    expect(JSON.parse(fitted.json).methodResponses).toEqual(fitted.methodResponses);
  });

  test('says requestTooLarge for what is left out', () => {
    expect(shorten([call('A/get', 2_000, 'a')], 1_000).methodResponses).toEqual([
      ['error', { type: 'requestTooLarge' }, 'a'],
    ]);
  });

  test('is measured in octets, exactly', () => {
    const methodResponses = [call('A/get', 0, 'ä'.repeat(50)), call('A/get', 300, 'b')];
    const whole = Buffer.byteLength(shorten(methodResponses, 10_000).json);
    expect(namesOf(shorten(methodResponses, whole).methodResponses)).not.toContain('error b');
    expect(namesOf(shorten(methodResponses, whole - 1).methodResponses)).toContain('error b');
  });
});

describe('while the calls of a request are run', () => {
  test('no more is kept than the response may hold, but for what was written and for errors', () => {
    const { keep } = fittedResponse(1_000, isWriting);
    const kept = [
      keep(call('A/get', 600, 'a')),
      keep(call('B/get', 600, 'b')),
      keep(call('C/get', 100, 'c')),
      keep(call('D/set', 600, 'd')),
      keep(['error', { type: 'serverFail', description: 'x'.repeat(600) }, 'e']),
      keep(call('F/get', 1, 'f')),
    ];
    expect(namesOf(kept)).toEqual(['A/get a', 'error b', 'C/get c', 'D/set d', 'error e', 'error f']);
    expect(kept[1]).toEqual(['error', { type: 'requestTooLarge' }, 'b']);
  });
});
