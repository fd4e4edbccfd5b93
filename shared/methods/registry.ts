import { core } from '../jmap/core.ts';
import { type PortsOf, registryOf, type UserPortsOf } from '../jmap/data-type.ts';
import { blob, coreBlob } from './Blob/index.ts';
import { email } from './Email/index.ts';
import { emailSubmission } from './EmailSubmission/index.ts';
import { identity } from './Identity/index.ts';
import { mailbox } from './Mailbox/index.ts';
import { mdn } from './MDN/index.ts';
import { quota } from './Quota/index.ts';
import { searchSnippet } from './SearchSnippet/index.ts';
import { sieveScript } from './SieveScript/index.ts';
import { thread } from './Thread/index.ts';
import { vacationResponse } from './VacationResponse/index.ts';

/** Every data type that is served; methods, capabilities and ports follow from this list. */
export const dataTypes = [
  core,
  coreBlob,
  mailbox,
  thread,
  email,
  searchSnippet,
  identity,
  emailSubmission,
  mdn,
  blob,
  quota,
  sieveScript,
  vacationResponse,
] as const;

/** What all of them need of one account. */
export type Ports = PortsOf<typeof dataTypes>;
/** What all of them need of the user. */
export type UserPorts = UserPortsOf<typeof dataTypes>;

/** Every method by its full name. */
export const registry = registryOf(dataTypes);
