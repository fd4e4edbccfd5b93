import { composeInCloud, now } from '../cloud.ts';
import { createSenderHandler } from './sender-handler.ts';

const { queue, call, rest } = composeInCloud();
if (queue === null) throw new Error('Could not start the sender: nothing is held');

/** The function that sends what is due, as infra/stack.ts deploys it. */
export const handler = createSenderHandler({ queue, call, now, rest });
