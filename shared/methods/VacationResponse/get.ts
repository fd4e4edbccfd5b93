// VacationResponse/get (RFC 8621 §8.1)
import { ok } from '../../jmap/errors.ts';
import type { JsonObject } from '../../jmap/scalars.ts';
import type { CanGet, Some } from '../../jmap/verbs.ts';
import { knownVacation, vacationOf, vacationState } from './known-vacation.ts';
import { singletonId, type VacationPorts, type VacationResponse } from './record.ts';

/** What the mail server does at this moment, whoever told it to. */
export function canGetVacation(ports: VacationPorts): CanGet<VacationResponse> {
  return {
    state: async () => vacationState(await knownVacation(ports)),
    get: async ({ ids, properties }) => {
      const known = await knownVacation(ports);
      const isWanted = ids === null || ids.includes(singletonId);
      const list = isWanted ? [someOf(vacationOf(known), properties)] : [];
      return ok({ state: vacationState(known), list });
    },
  };
}

/** These of its properties. */
export function someOf(vacation: VacationResponse, properties: readonly string[]): Some<VacationResponse> {
  const some: JsonObject = {};
  for (const name of properties) some[name] = vacation[name as keyof VacationResponse];
  return { ...some, id: vacation.id };
}
