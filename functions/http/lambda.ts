import { composeInCloud } from '../cloud.ts';
import { createLambdaHandler } from './lambda-handler.ts';

const { app, log, rest } = composeInCloud();

/** The HTTP function, as infra/stack.ts deploys it. */
export const handler = createLambdaHandler(app, log, rest);
