import { startLocalStore } from '../../functions/local/store.ts';

// A DynamoDB of its own, as a deployed server has one: its work is not done by the process that is measured.
const store = await startLocalStore({ folder: null, tableNames: ['bench'], now: () => Date.now() });
process.on('disconnect', () => process.exit());
process.send?.({ endpoint: store.endpoint });
