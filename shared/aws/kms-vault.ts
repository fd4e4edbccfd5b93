import { randomBytes } from 'node:crypto';
import {
  DecryptCommand,
  GenerateDataKeyCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { Unavailable } from '../jmap/errors.ts';
import { headerOf, nonceOctets, seal, unseal } from '../vault/sealed.ts';
import { SealBroken, type SealContext, type Vault } from '../vault/vault.ts';
import { asUnavailable } from './as-unavailable.ts';

/**
 * A vault whose keys never leave KMS but to be used: each seal has a data key of its own, which is kept with it, wrapped under the
 * key of the vault and bound to account, purpose and record by the encryption context. KMS turns the vault's key by itself.
 */
export function kmsVault({ client, keyId: KeyId }: { readonly client: KMSClient; readonly keyId: string }): Vault {
  const contextOf = ({ account, purpose, id }: SealContext) => ({ EncryptionContext: { account, purpose, id } });
  return {
    seal: (plain, context) =>
      asUnavailable(async () => {
        const made = await client.send(
          new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', ...contextOf(context) }),
        );
        if (made.Plaintext === undefined || made.CiphertextBlob === undefined) throw new Unavailable('KMS gave no key');
        const header = { keyId: 'kms', wrappedKey: made.CiphertextBlob };
        return seal({ plain, context, header }, { key: made.Plaintext, nonce: randomBytes(nonceOctets) });
      }),
    open: async (sealed, context) => {
      const CiphertextBlob = headerOf(sealed).wrappedKey;
      const key = await asUnavailable(async () => {
        try {
          const opened = await client.send(new DecryptCommand({ KeyId, CiphertextBlob, ...contextOf(context) }));
          return opened.Plaintext ?? null;
        } catch (error) {
          if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException) return null;
          throw error;
        }
      });
      if (key === null) throw new SealBroken('Could not open a seal: KMS does not know its key, or not for this');
      return unseal(sealed, context, key);
    },
  };
}
