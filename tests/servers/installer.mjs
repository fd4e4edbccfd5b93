import { ensureDovecot, updatePackageLists } from '../../functions/local/install.mjs';

/** @type {import('./keeper.ts').KeeperInstaller} */
export const installer = {
  ensureDovecot: () => ensureDovecot(),
  updatePackageLists,
  say: (line) => console.log(line),
};
