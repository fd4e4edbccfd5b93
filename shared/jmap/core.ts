// Core/echo (RFC 8620 §4)
import { dataType } from './data-type.ts';
import { ok } from './errors.ts';
import type { UserMethod } from './method.ts';
import { coreUri } from './session.ts';

/** Answers with the arguments it was given, whatever they are. */
const echo: UserMethod<unknown> = { scope: 'user', run: async (args) => ok({ response: args }) };

/** The methods that every server has. */
export const core = dataType('Core', coreUri, { echo });
