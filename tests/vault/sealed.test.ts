import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { headerOf, keyOctets, nonceOctets, seal, unseal } from '../../shared/vault/sealed.ts';
import { SealBroken } from '../../shared/vault/vault.ts';

const key = randomBytes(keyOctets);
const context = { account: 'a', purpose: 'p', id: 'S1' };
const header = { keyId: 'k1', wrappedKey: Buffer.from('wrapped') };
const sealed = (plain = Buffer.from('secret')) =>
  Buffer.from(seal({ plain, context, header }, { key, nonce: randomBytes(nonceOctets) }));

describe('what is sealed', () => {
  test.each([0, 1, 100_000])('is what was sealed, when it is opened: %s octets', (octets) => {
    const plain = randomBytes(octets);
    expect(Buffer.compare(unseal(sealed(plain), context, key), plain)).toBe(0);
  });

  test('cannot be read, and tells under which key it is', () => {
    expect(sealed().toString('latin1')).not.toContain('secret');
    expect(headerOf(sealed())).toEqual({ keyId: 'k1', wrappedKey: Buffer.from('wrapped') });
  });

  test.each([
    { what: 'another account', context: { ...context, account: 'b' } },
    { what: 'another purpose', context: { ...context, purpose: 'q' } },
    { what: 'another record', context: { ...context, id: 'S2' } },
    { what: 'the same letters, cut elsewhere', context: { account: 'a","p', purpose: 'S1', id: '' } },
  ])('does not open for $what', ({ context: other }) => {
    expect(() => unseal(sealed(), other, key)).toThrow(SealBroken);
  });

  test('does not open with another key', () => {
    expect(() => unseal(sealed(), context, randomBytes(keyOctets))).toThrow(SealBroken);
  });

  test('does not open when any octet of it was changed, or when it was cut', () => {
    const whole = sealed();
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => unseal(changed, context, key)).toThrow(SealBroken);
    }
    for (let end = 0; end < whole.length; end += 1) {
      expect(() => unseal(whole.subarray(0, end), context, key)).toThrow(SealBroken);
    }
  });
});
