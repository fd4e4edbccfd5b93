import { dataType } from '../../jmap/data-type.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { vacationCapability } from '../capabilities.ts';
import { canGetVacation } from './get.ts';
import { vacationType } from './record.ts';
import { canUpdateVacation } from './set.ts';

/** The VacationResponse (RFC 8621 §8). */
export const vacationResponse = dataType('VacationResponse', vacationCapability, {
  get: standardGet(vacationType, { port: canGetVacation }),
  set: standardSet(vacationType, { singleton: true, port: canUpdateVacation }),
});
