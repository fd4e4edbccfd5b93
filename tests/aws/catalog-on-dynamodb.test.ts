import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { startLocalStore } from '../../functions/local/store.ts';
import { localStoreAccess } from '../../functions/local/store-access.ts';
import { dynamodbCatalogStore } from '../../shared/aws/dynamodb-catalog-store.ts';
import { createHistory } from '../catalog/storage/history.ts';
import { applyEdit, emptyModel, expectModel } from '../catalog/storage/model.ts';
import { createRandom } from '../catalog/storage/random.ts';
import { committed, createWorld, opened } from '../catalog/storage/world.ts';

test('a catalog on the embedded DynamoDB holds what a map would, for one of two writers, and after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-'));
  const world = createWorld(31);
  const now = () => world.nowSeconds() * 1000;
  const start = async () => {
    const local = await startLocalStore({ folder, tableNames: ['catalogs'], now });
    const client = new DynamoDBClient({ endpoint: local.endpoint, ...localStoreAccess });
    const stop = async () => {
      client.destroy();
      await local.stop();
    };
    return { store: dynamodbCatalogStore({ client, tableName: 'catalogs', now }), stop };
  };

  const model = emptyModel();
  const history = createHistory(createRandom(31), model);
  const first = await start();
  const indexed = history.first({ mailboxes: 10, emails: 1500 });
  committed(
    await world.freshProcess('alice', first.store).create({ scheme: 'xguid', threads: 'derived' }, indexed, null),
  );
  applyEdit(model, indexed);
  for (let i = 0; i < 10; i++) {
    const edits = [history.anything(), history.delivery()];
    const bases = await Promise.all(
      edits.map(async (edit) => {
        const catalog = world.freshProcess('alice', first.store);
        return { catalog, edit, base: await opened(catalog) };
      }),
    );
    const outcomes = await Promise.all(bases.map(({ catalog, base, edit }) => catalog.commit(base, edit)));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['committed', 'conflict']);
    for (const edit of edits.filter((_, n) => outcomes[n]?.kind === 'committed')) applyEdit(model, edit);
  }
  await expectModel(await opened(world.freshProcess('alice', first.store)), model);
  await first.stop();

  const second = await start();
  await expectModel(await opened(world.freshProcess('alice', second.store)), model);
  await second.stop();
  await rm(folder, { recursive: true });
});
