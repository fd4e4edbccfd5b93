import { addHeadersOfEvery } from './headers-of-every.ts';
import { problemResponse } from './problem.ts';

/** The answer to what failed before or after the app had a hand in it, in the form that the app's own answers have. */
export function failureResponse(error: unknown, requestId = ''): Response {
  const response = problemResponse(error, { realm: '', reportId: requestId });
  addHeadersOfEvery(response.headers, 'http:');
  return response;
}
