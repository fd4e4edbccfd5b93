import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { mailCapability } from '../capabilities.ts';
import { canChange } from '../change.ts';
import { canGetThreads } from './get.ts';
import { threadType } from './record.ts';

/** Threads (RFC 8621 §3). */
export const thread = dataType('Thread', mailCapability, {
  get: standardGet(threadType, { port: canGetThreads }),
  changes: standardChanges(threadType, { port: canChange('Thread') }),
});
