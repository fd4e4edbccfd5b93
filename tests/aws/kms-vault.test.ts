import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kmsVault } from '../../shared/aws/kms-vault.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import { SealBroken } from '../../shared/vault/vault.ts';
import { type KmsStandIn, startKms } from './kms-stand-in.ts';

const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, maxAttempts: 1 };
const context = { account: 'a1', purpose: 'submission/message', id: 'S1' };
let kms: KmsStandIn;
let client: KMSClient;
beforeAll(async () => {
  kms = await startKms();
  client = new KMSClient({ endpoint: kms.endpoint, ...access });
});
afterAll(async () => {
  client.destroy();
  await kms.stop();
});
const vault = (keyId = 'key') => kmsVault({ client, keyId });

describe('a vault with its keys in KMS', () => {
  test('opens what it sealed, and asks with account, purpose and record', async () => {
    const sealed = await vault().seal(Buffer.from('secret'), context);
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('secret');
    expect(Buffer.from(await vault().open(sealed, context)).toString()).toBe('secret');
    expect(kms.calls.slice(-2)).toEqual([
      { operation: 'GenerateDataKey', context },
      { operation: 'Decrypt', context },
    ]);
  });

  test('has a key for each seal', async () => {
    const [one, other] = [await vault().seal(Buffer.from('x'), context), await vault().seal(Buffer.from('x'), context)];
    expect(Buffer.compare(one, other)).not.toBe(0);
  });

  test.each([
    { what: 'another account', keyId: 'key', given: { ...context, account: 'a2' } },
    { what: 'another purpose', keyId: 'key', given: { ...context, purpose: 'push' } },
    { what: 'another record', keyId: 'key', given: { ...context, id: 'S2' } },
    { what: 'another key', keyId: 'other', given: context },
  ])('does not open for $what', async ({ keyId, given }) => {
    const sealed = await vault().seal(Buffer.from('secret'), context);
    await expect(vault(keyId).open(sealed, given)).rejects.toThrow(SealBroken);
  });

  test('does not open what was changed', async () => {
    const sealed = Buffer.from(await vault().seal(Buffer.from('secret'), context));
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    await expect(vault().open(sealed, context)).rejects.toThrow(SealBroken);
  });

  test('is unavailable when KMS is', async () => {
    const gone = new KMSClient({ endpoint: 'http://127.0.0.1:1', ...access });
    const away = kmsVault({ client: gone, keyId: 'key' });
    const sealed = await vault().seal(Buffer.from('secret'), context);
    await expect(away.seal(Buffer.from('x'), context)).rejects.toThrow(Unavailable);
    await expect(away.open(sealed, context)).rejects.toThrow(Unavailable);
    gone.destroy();
  });
});
