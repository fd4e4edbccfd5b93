import { describe, expect, test } from '@jest/globals';
import { dataType, type PortsOf, registryOf, type UserPortsOf } from '../../shared/jmap/data-type.ts';
import { ok } from '../../shared/jmap/errors.ts';
import { accountMethod, userMethod } from '../../shared/jmap/method.ts';
import { standardGet } from '../../shared/jmap/standard/get.ts';
import type { CanGet } from '../../shared/jmap/verbs.ts';
import { type Cookie, cookie, oven, type Ports, registry } from './bakery.ts';

const nothing = async () => ok({ response: {} });
const types = [
  dataType('Cookie', 'urn:a', { get: standardGet(cookie), bake: accountMethod({}, nothing) }),
  dataType('Oven', 'urn:b', {
    get: standardGet(oven),
    heat: accountMethod({}, async (_args, _ports: { fuel: { litres: number } }) => nothing()),
    whistle: userMethod({}, async (_args, _ports: { tune: string }) => nothing()),
  }),
] as const;

/** Whether the one type can stand for the other; the compiler fills in the answer. */
type Fits<A, B> = A extends B ? true : false;

describe('PortsOf', () => {
  test('adds up what all methods of all types need, so that a port nobody fills does not compile', () => {
    type Needed = PortsOf<typeof types>;
    type Filled = { Cookie: CanGet<Cookie>; Oven: CanGet<{ id: string }>; fuel: { litres: number } };
    const whole: Fits<Needed, { Cookie: unknown; Oven: unknown; fuel: { litres: number } }> = true;
    const withoutFuel: Fits<Omit<Filled, 'fuel'>, Needed> = false;
    const withoutCookies: Fits<Omit<Filled, 'Cookie'>, Needed> = false;
    const withoutAnything: Fits<object, Needed> = false;
    expect([whole, withoutFuel, withoutCookies, withoutAnything]).toEqual([true, false, false, false]);
  });

  test('demands every verb of a type', () => {
    const withoutCopy: Fits<{ Cookie: Omit<Ports['Cookie'], 'copy'> } & Omit<Ports, 'Cookie'>, Ports> = false;
    const withoutDestroy: Fits<{ Cookie: Omit<Ports['Cookie'], 'destroy'> } & Omit<Ports, 'Cookie'>, Ports> = false;
    const singletonDestroys: Fits<Ports['Oven'], { destroy: unknown }> = false;
    expect([withoutCopy, withoutDestroy, singletonDestroys]).toEqual([false, false, false]);
  });

  test('keeps apart what the methods of a user need', () => {
    const tune: Fits<UserPortsOf<typeof types>, { tune: string }> = true;
    const inAccount: Fits<PortsOf<typeof types>, { tune: string }> = false;
    expect([tune, inAccount]).toEqual([true, false]);
  });
});

describe('registryOf', () => {
  test('finds each method by its full name, with its capability', () => {
    const found = [...registryOf(types)].map(([name, { capability, method }]) => [name, capability, method.scope]);
    expect(found).toEqual([
      ['Cookie/get', 'urn:a', 'account'],
      ['Cookie/bake', 'urn:a', 'account'],
      ['Oven/get', 'urn:b', 'account'],
      ['Oven/heat', 'urn:b', 'account'],
      ['Oven/whistle', 'urn:b', 'user'],
    ]);
  });

  test('lets a type appear under two capabilities, but no method twice', () => {
    const blob = dataType('Blob', 'urn:core', { copy: accountMethod({}, nothing) });
    const more = dataType('Blob', 'urn:blob', { upload: accountMethod({}, nothing) });
    expect([...registryOf([blob, more]).keys()]).toEqual(['Blob/copy', 'Blob/upload']);
    expect(() => registryOf([blob, blob])).toThrow('Blob/copy');
  });

  test('knows which methods write', () => {
    const writing = [...registry].filter(([, { method }]) => method.scope === 'account' && method.writes);
    expect(writing.map(([name]) => name)).toEqual(['Cookie/set', 'Cookie/copy', 'Cake/set', 'Cake/copy', 'Oven/set']);
  });
});
