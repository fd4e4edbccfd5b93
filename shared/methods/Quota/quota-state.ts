import { createHash } from 'node:crypto';
import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id, State } from '../../jmap/scalars.ts';
import type { Quota } from './record.ts';
import { quotaIdLength } from './visible-quotas.ts';

/** What a state remembers of one Quota: a hash of how much is used, and one of all the rest. */
type Trace = { readonly used: string; readonly rest: string };
type Traces = ReadonlyMap<Id, Trace>;

const hashLength = 5;
const traceLength = quotaIdLength + 2 * hashLength;

/**
 * The state of these Quotas. No history is kept of them, so the state itself tells what they were: for each, its id and
 * what it takes to see that it changed. There are few of them.
 */
export function quotaState(quotas: readonly Quota[]): State {
  return stateOf(tracesOf(quotas));
}

/** What changed from one state to another, one after the other; each time with the state that is then arrived at. */
export type QuotaChange = {
  readonly id: Id;
  readonly kind: 'created' | 'updated' | 'destroyed';
  /** Nothing but how much is used. */
  readonly onlyUsed: boolean;
  readonly newState: State;
};

/** The changes since a state; `cannotCalculateChanges` for what is none. */
export function changesSince(sinceState: State, quotas: readonly Quota[]): Result<QuotaChange[], MethodError> {
  const before = parseState(sinceState);
  if (before === null) return refuse(methodError('cannotCalculateChanges', 'there was no such state'));
  const after = tracesOf(quotas);
  const arrived = new Map(before);
  const changes: QuotaChange[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(id), after.get(id)];
    if (old?.used === now?.used && old?.rest === now?.rest) continue;
    if (now === undefined) arrived.delete(id);
    else arrived.set(id, now);
    const kind = old === undefined ? 'created' : now === undefined ? 'destroyed' : 'updated';
    changes.push({ id, kind, onlyUsed: old?.rest === now?.rest, newState: stateOf(arrived) });
  }
  return ok(changes);
}

function tracesOf(quotas: readonly Quota[]): Map<Id, Trace> {
  return new Map(quotas.map(({ used, ...rest }) => [rest.id, { used: hash(used), rest: hash(rest) }]));
}

function stateOf(traces: Traces): State {
  const sorted = [...traces].sort(([a], [b]) => (a < b ? -1 : 1));
  return `Q${sorted.map(([id, { used, rest }]) => `${id}${used}${rest}`).join('')}` as State;
}

function parseState(state: State): Traces | null {
  if (!/^Q(?:q[0-9a-f]{10}[\w-]{10})*$/.test(state)) return null;
  const traces = new Map<Id, Trace>();
  for (let at = 1; at < state.length; at += traceLength) {
    const [usedAt, restAt] = [at + quotaIdLength, at + quotaIdLength + hashLength];
    const trace = { used: state.slice(usedAt, restAt), rest: state.slice(restAt, at + traceLength) };
    traces.set(state.slice(at, usedAt) as Id, trace);
  }
  return traces;
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, hashLength);
}
