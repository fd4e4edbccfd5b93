import { createHash } from 'node:crypto';
import type { Id } from '../../jmap/scalars.ts';
import { mailCapability } from '../capabilities.ts';
import type { Quota, QuotaResource } from './record.ts';

/** Quotas of one account; a server that names more is not believed. */
const quotasMax = 16;

/** What the resources of RFC 9208 §5 count: objects of which type, or octets in units of so many. */
const resources: ReadonlyMap<string, Pick<Quota, 'resourceType' | 'types'> & { readonly unit: number }> = new Map([
  ['STORAGE', { resourceType: 'octets', types: ['Email'], unit: 1024 }],
  ['MESSAGE', { resourceType: 'count', types: ['Email'], unit: 1 }],
  ['MAILBOX', { resourceType: 'count', types: ['Mailbox'], unit: 1 }],
]);

/** The capability that a request has to use for each type, or the type is not shown to it (RFC 9425 §4.1). */
const capabilities: { readonly [typeName: string]: string } = { Email: mailCapability, Mailbox: mailCapability };

/** The Quotas that a request may see, by their ids in order. Resources that concern no data type of ours are left out. */
export function visibleQuotas(told: readonly QuotaResource[], using: ReadonlySet<string>): Quota[] {
  const quotas = new Map<Id, Quota>();
  for (const { root, resource, usage, limit } of told) {
    const kind = resources.get(resource);
    const types = (kind?.types ?? []).filter((type) => using.has(capabilities[type] ?? ''));
    if (kind === undefined || types.length === 0 || quotas.size >= quotasMax) continue;
    const inUnits = (amount: number) => Math.min(amount * kind.unit, Number.MAX_SAFE_INTEGER);
    const id = quotaId(root, resource);
    quotas.set(id, {
      id,
      resourceType: kind.resourceType,
      used: inUnits(usage),
      hardLimit: inUnits(limit),
      scope: 'account',
      name: root === '' ? 'Quota' : root,
      types,
      warnLimit: null,
      softLimit: null,
      description: null,
    });
  }
  return [...quotas.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The same for the same resource of the same root, for ever. */
function quotaId(root: string, resource: string): Id {
  const digest = createHash('sha256')
    .update(JSON.stringify([root, resource]))
    .digest('hex');
  return `q${digest.slice(0, quotaIdLength - 1)}` as Id;
}

/** Characters of every Quota's id. */
export const quotaIdLength = 11;
