import { dataType } from '../../jmap/data-type.ts';
import { mdnCapability } from '../capabilities.ts';
import { mdnParse } from './parse.ts';
import { mdnSend } from './send.ts';

/** Read receipts (RFC 9007). */
export const mdn = dataType('MDN', mdnCapability, { send: mdnSend, parse: mdnParse });
