// After all tests: stops the mail servers that were started.

import { keeper } from './global-setup.mjs';

export default async function globalTeardown() {
  await keeper?.stop();
}
