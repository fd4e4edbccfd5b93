// `npm start`: installs what is missing, then starts the local server. Plain JavaScript, because it runs before there
// is anything to run TypeScript with.

import { ensureDependencies, ensureDovecot, NotInstalled } from './install.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`Node 20.12 or newer is needed; this is ${process.version}.`);
  process.exit(1);
}
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
