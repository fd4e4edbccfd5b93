import { accountIdOf } from '../../functions/http/authenticate.ts';
import type { JsonObject } from '../../shared/jmap/scalars.ts';
import { startBundled } from './bundled-process.ts';
import { type Call, type Counts, type PosternOptions, providerOf } from './postern.ts';

/** What a request took, from the side of its client, and what was counted meanwhile. */
export type Measured = {
  readonly ms: number;
  readonly answers: readonly JsonObject[];
  readonly counts: Counts;
  /** Of the process, until now. */
  readonly peakRssMb: number;
};

/** Postern in another process, with a client that has one connection to it. */
export type MeasuredPostern = {
  readonly accountId: string;
  /** Sends the calls in one request; `accountId` is filled in. Throws when one of them fails. */
  readonly request: (calls: readonly Call[]) => Promise<Measured>;
  /** The same, for its answers. */
  readonly api: (calls: readonly Call[]) => Promise<readonly JsonObject[]>;
  readonly stop: () => Promise<void>;
};

/** What is deployed, on this machine, as a single file. `nodeOptions`: of the process. */
export async function startMeasuredPostern(
  options: PosternOptions,
  nodeOptions: readonly string[] = [],
): Promise<MeasuredPostern> {
  const { host, imapPort, user, password } = options.account;
  const account = { host, imapPort, user, password };
  const process = await startBundled<readonly Call[], Measured>(
    'postern-process.ts',
    { ...options, account },
    nodeOptions,
  );
  return {
    accountId: accountIdOf({ provider: providerOf(options), user }),
    request: process.ask,
    api: async (calls) => (await process.ask(calls)).answers,
    stop: process.stop,
  };
}
