import type { State } from './scalars.ts';

/** What is pushed when something has changed (RFC 8620 §7.1): account id → type name → its new state. */
export type StateChange = {
  '@type': 'StateChange';
  changed: { [accountId: string]: { [typeName: string]: State } };
};
