// `npm start`: installs what is missing, then starts the local server. Plain JavaScript, because it runs before there
// is anything to run TypeScript with.

import { ensureDependencies, ensureDovecot, NotInstalled } from './install.mjs';

try {
  ensureDependencies();
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('./main.ts');
  await main(process.argv.slice(2), ensureDovecot);
} catch (error) {
  if (!(error instanceof NotInstalled)) throw error;
  console.error(error.message);
  process.exit(1);
}
