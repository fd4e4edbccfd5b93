import { describe, expect, test } from '@jest/globals';
import { reference, setOf, string } from '../../../shared/jmap/grammar.ts';
import { recordType } from '../../../shared/jmap/record-type.ts';
import type { Id, JsonObject } from '../../../shared/jmap/scalars.ts';
import { parsePatch } from '../../../shared/jmap/standard/patch.ts';
import { reviseRecord } from '../../../shared/jmap/standard/record.ts';

const cookie = recordType('Cookie', { jars: setOf(reference), notes: setOf(string) });
const before = { jars: { J1: true, J2: true }, notes: { '#new': true } };

/** What the patch changes, where `#new` is J2 and `#other` is J3. */
function revised(patch: JsonObject) {
  const parsed = parsePatch(patch);
  if (!parsed.ok) throw new Error('That is no patch');
  const ids = new Map([...Object.entries({ new: 'J2', other: 'J3' })]);
  return reviseRecord(cookie, before, parsed.value, (creationId) => ids.get(creationId) as Id | undefined);
}

describe('a creation id within a pointer of a patch', () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['removes what it stands for', { 'jars/#new': null }, { jars: { J1: true } }],
    ['adds what it stands for', { 'jars/#other': true, 'jars/J1': null }, { jars: { J2: true, J3: true } }],
    ['is a key like any other where keys are no references', { 'notes/#new': null }, { notes: {} }],
  ])('%s', (_, patch, value) => {
    expect(revised(patch)).toEqual({ ok: true, value });
  });

  test.each<[string, JsonObject, string]>([
    ['leads where another pointer leads', { 'jars/#new': null, 'jars/J2': true }, 'invalidPatch'],
    ['stands for nothing', { 'jars/#nothing': true }, 'invalidProperties'],
  ])('is refused when it %s', (_, patch, type) => {
    expect(revised(patch)).toMatchObject({ ok: false, error: { type } });
  });

  test('harms nothing when it is called like a member of every object', () => {
    expect(revised({ 'notes/__proto__': true })).toMatchObject({ ok: true });
  });
});
