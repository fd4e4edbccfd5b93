import { ensureDovecot, updatePackageLists } from '../../functions/local/install.mjs';

/** @type {import('./keeper.ts').KeeperInstaller} */
export const installer = {
  ensureDovecot: () => ensureDovecot({ parts: ['imap', 'sieve', 'managesieve', 'lmtp'] }),
  updatePackageLists,
  say: (line) => console.log(line),
};
