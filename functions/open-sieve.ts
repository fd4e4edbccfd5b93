import { scriptLimits } from '../shared/methods/SieveScript/capability.ts';
import { type CanManageScripts, noScripts } from '../shared/methods/SieveScript/scripts.ts';
import type { Provider } from '../shared/providers.ts';
import { type SieveAccount, sieveAccount } from '../shared/sieve/account.ts';
import { type SieveCapabilities, wordsOf } from '../shared/sieve/connect.ts';
import { Pauses } from '../shared/sieve/pauses.ts';
import type { SieveCredential } from '../shared/sieve/server.ts';
import type { VerifyLogin } from './http/authenticate.ts';
import type { Log } from './http/log.ts';

/** Opens the Sieve scripts of an account for the time of one request; those of a provider without ManageSieve are none. */
export function sieveOpener(
  log: Log,
  verifyLogin: VerifyLogin,
): (
  provider: Provider,
  credential: SieveCredential,
) => Pick<SieveAccount, 'release'> & { readonly scripts: CanManageScripts } {
  const pauses = new Pauses();
  const compared = new Set<string>();

  /** The operator says in the providers file what the Session tells; where he is mistaken he gets to know, once. */
  function compare({ name, sieve }: Provider, capabilities: SieveCapabilities): void {
    if (sieve === null || compared.has(name)) return;
    compared.add(name);
    const said = new Set(sieve.offers.extensions);
    const offered = wordsOf(capabilities.get('SIEVE'));
    const onlyInSession = [...said].filter((extension) => !offered.has(extension));
    const onlyOnServer = [...offered].filter((extension) => !said.has(extension) && /^[\w.;-]{1,64}$/.test(extension));
    if (onlyInSession.length === 0 && onlyOnServer.length === 0) return;
    const level = onlyInSession.length > 0 ? 'warn' : 'info';
    log[level]({ event: 'sieve', provider: name, onlyInSession, onlyOnServer: onlyOnServer.slice(0, 100) });
  }

  return (provider, credential) => {
    const { name, sieve, auth } = provider;
    if (sieve === null) return { scripts: noScripts, release: async () => {} };
    const onCapabilities = (capabilities: SieveCapabilities) => compare(provider, capabilities);
    const { scripts, release } = sieveAccount({ name, sieve, auth }, credential, pauses, {
      onCapabilities,
      verifyLogin: () => verifyLogin(provider, credential),
    });
    return { scripts: { ...scripts, limits: scriptLimits(sieve.offers) }, release };
  };
}
