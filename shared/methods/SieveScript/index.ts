import { dataType } from '../../jmap/data-type.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardQuery } from '../../jmap/standard/query.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { sieveCapability } from '../capabilities.ts';
import { canGetScripts } from './get.ts';
import { canQueryScripts, sieveScriptQuery } from './query.ts';
import { sieveScriptType } from './record.ts';
import { canSetScripts, setArguments } from './set.ts';
import { validateScript } from './validate.ts';

/** SieveScripts (RFC 9661). */
export const sieveScript = dataType('SieveScript', sieveCapability, {
  get: standardGet(sieveScriptType, { port: canGetScripts }),
  set: standardSet(sieveScriptType, {
    args: setArguments,
    port: canSetScripts,
    finish: (port, args, createdIds) => port.finish(args, createdIds),
  }),
  query: standardQuery(sieveScriptType, { ...sieveScriptQuery, port: canQueryScripts }),
  validate: validateScript,
});
