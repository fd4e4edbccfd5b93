import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardQuery } from '../../jmap/standard/query.ts';
import { standardQueryChanges } from '../../jmap/standard/query-changes.ts';
import { quotaCapability } from '../capabilities.ts';
import { canChangeQuotas, changesMembers } from './changes.ts';
import { canGetQuotas } from './get.ts';
import { canQueryQuotas, quotaQuery } from './query.ts';
import { canQueryChangesOfQuotas } from './queryChanges.ts';
import { quotaType } from './record.ts';

/** Quotas (RFC 9425). */
export const quota = dataType('Quota', quotaCapability, {
  get: standardGet(quotaType, { port: canGetQuotas }),
  changes: standardChanges(quotaType, { members: changesMembers, port: canChangeQuotas }),
  query: standardQuery(quotaType, { ...quotaQuery, port: canQueryQuotas }),
  queryChanges: standardQueryChanges(quotaType, { ...quotaQuery, port: canQueryChangesOfQuotas }),
});
