import { createHash } from 'node:crypto';
import type { State } from '../../jmap/scalars.ts';
import type { CanManageScripts, Script } from '../SieveScript/scripts.ts';
import { singletonId, type VacationPorts, type VacationResponse } from './record.ts';
import { isVacationScript, readVacationScript, type VacationScript, vacationScriptName } from './vacation-script.ts';

/** What the mail server has of the vacation response. */
export type KnownVacation = {
  readonly scripts: readonly Script[];
  /** Our script; null: there is none. */
  readonly own: Script | null;
  /** What it says; null when somebody else changed it into something that the properties cannot say. */
  readonly says: VacationScript | null;
  /** A script of the user's has our name. */
  readonly isNameTaken: boolean;
};

/** What there is when nothing was ever set. */
export const nothing: VacationScript = {
  ...{ fromDate: null, toDate: null, subject: null, textBody: null, htmlBody: null },
  ...{ addresses: [], included: [], includedDigest: null },
};

export async function knownVacation({ scripts }: Pick<VacationPorts, 'scripts'>): Promise<KnownVacation> {
  return vacationAmong(await scripts.readAll());
}

export function vacationAmong(scripts: Awaited<ReturnType<CanManageScripts['readAll']>>): KnownVacation {
  const named = scripts.find(({ name }) => name === vacationScriptName) ?? null;
  const own = named !== null && isVacationScript(named) ? named : null;
  const says = own === null ? nothing : readVacationScript(own.octets);
  return { scripts, own, says, isNameTaken: named !== null && own === null };
}

/** It is enabled when the script is the active one; of a script that was changed by somebody else nothing more can be said. */
export function vacationOf({ own, says }: KnownVacation): VacationResponse {
  const { fromDate, toDate, subject, textBody, htmlBody } = says ?? nothing;
  return { id: singletonId, isEnabled: own?.isActive ?? false, fromDate, toDate, subject, textBody, htmlBody };
}

/** The state follows from the script and from whether it is the active one. */
export function vacationState({ own }: Pick<KnownVacation, 'own'>): State {
  const digest = createHash('sha256').update(own?.octets ?? '');
  const mark = own === null ? 'none' : own.isActive ? 'active' : 'kept';
  return `${mark}-${digest.digest('base64url').slice(0, 16)}` as State;
}
