import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Outbox } from '../vault/outbox.ts';
import { asUnavailable } from './as-unavailable.ts';

/** Sealed messages as objects `<account id>/<id>` of a bucket. */
export function s3Outbox({ client, bucket: Bucket }: { readonly client: S3Client; readonly bucket: string }): Outbox {
  const keyOf = (account: string, id: string) => `${account}/${id}`;
  return {
    put: (account, id, Body) =>
      asUnavailable(
        async () => void (await client.send(new PutObjectCommand({ Bucket, Key: keyOf(account, id), Body }))),
      ),
    get: (account, id) =>
      asUnavailable(async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(account, id) }));
          return (await Body?.transformToByteArray()) ?? null;
        } catch (error) {
          if (error instanceof NoSuchKey) return null;
          throw error;
        }
      }),
    remove: (account, id) =>
      asUnavailable(async () => void (await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(account, id) })))),
  };
}
