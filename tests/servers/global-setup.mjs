// Before all tests: the keeper of the mail servers, whose address the test processes inherit.

import { tsImport } from 'tsx/esm/api';
import { installer } from './installer.mjs';

/** @type {{ url: string, stop(): Promise<void> } | undefined} */
export let keeper;

export default async function globalSetup() {
  const { startKeeper } = await tsImport('./keeper.ts', import.meta.url);
  keeper = await startKeeper(installer);
  process.env.POSTERN_TEST_SERVERS = JSON.stringify({ keeper: keeper.url });
}
