import type { JsonObject } from '../../../shared/jmap/scalars.ts';
import { mailCapability, sieveCapability } from '../../../shared/methods/capabilities.ts';
import { sieveScript } from '../../../shared/methods/SieveScript/index.ts';
import type { SieveScript, SieveScriptPorts } from '../../../shared/methods/SieveScript/record.ts';
import { accountRecords } from '../../../shared/records/account-records.ts';
import { createMemoryRecordStore } from '../../../shared/records/memory-store.ts';
import { contextFor } from '../context.ts';
import { inMemoryScripts } from '../in-memory-scripts.ts';
import { callMethod, mailAccount } from '../mail-account.ts';

/** An account with these scripts, and ways to call the methods of SieveScript in one request. */
export function scriptAccount(...initial: Parameters<typeof inMemoryScripts>) {
  const server = inMemoryScripts(...initial);
  let keys = 0;
  const store = createMemoryRecordStore({ now: () => 0 });
  const records = accountRecords({ store, account: 'a', randomKey: () => `key${++keys}` });
  const ports: SieveScriptPorts = { ...mailAccount([]).ports, scripts: server.manager, records };
  const context = { ...contextFor(ports), using: new Set([mailCapability, sieveCapability]) };
  const call = (verb: keyof typeof sieveScript.methods, args: JsonObject = {}) =>
    callMethod<SieveScriptPorts>(sieveScript.methods[verb], args, ports, context);
  const get = async (args: JsonObject = { ids: null }) =>
    (await call('get', args)) as unknown as { state: string; list: SieveScript[]; notFound: string[] };
  const idOf = async (name: string) => (await get()).list.find((script) => script.name === name)?.id ?? 'none';
  /** Keeps a text as an uploaded file; answers its id. */
  const upload = async (text: string | Buffer) => {
    async function* whole() {
      yield Buffer.from(text);
    }
    return (await ports.uploads.put(whole())).id;
  };
  return { server, ports, context, call, get, idOf, upload };
}
