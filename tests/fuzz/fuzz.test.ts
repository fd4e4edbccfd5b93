import { describe, expect, test } from '@jest/globals';
import { registry } from '../../shared/methods/registry.ts';
import type { Case } from './cases.ts';
import { describeFinding, fuzz } from './fuzz.ts';
import { argumentsOf } from './methods.ts';
import { play } from './play.ts';

describe('whatever is sent and whatever messages there are,', () => {
  test.each([1, 2])('every law holds in the cases of seed %i', async (seed) => {
    const finding = await fuzz(seed, 20);
    if (finding !== null) throw new Error(describeFinding(finding));
  });
});

test('something is known of the arguments of each method', () => {
  expect([...registry.keys()].filter((name) => Object.keys(argumentsOf(name)).length === 0)).toEqual([]);
});

describe('a run', () => {
  const requestsOf = async (seed: number) => {
    const said: string[] = [];
    await fuzz(seed, 5, (each) => play(each, (request) => said.push(request)));
    return said;
  };

  test('sends the same requests for the same seed, and others for another', async () => {
    const said = await requestsOf(4);
    expect(said.length).toBeGreaterThan(5);
    expect(await requestsOf(4)).toEqual(said);
    expect(await requestsOf(5)).not.toEqual(said);
  });

  test('makes the case that breaks a law small, and says how to play it again', async () => {
    const finding = await fuzz(6, 200, async ({ messages }: Case, tell) => {
      tell?.('GET /');
      if (messages.some((message) => message.includes('caf'))) throw new Error('Coffee is out');
    });
    expect(finding?.case.messages).toHaveLength(1);
    expect(finding?.case.rounds).toHaveLength(1);
    const described = finding === null ? '' : describeFinding(finding);
    for (const part of ['Coffee is out', 'sent: GET /', 'npm run fuzz -- --seed 6']) expect(described).toContain(part);
  });
});
