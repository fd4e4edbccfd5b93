import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { App } from './app.ts';
import { failureResponse } from './failure-response.ts';
import { type Log, logDefect, logUnavailable } from './log.ts';
import { HttpError } from './problem.ts';

/** What Lambda takes as the answer to one synchronous call; anything larger the gateway turns into a 500 of its own. */
const maxPayloadOctets = 6 * 1024 * 1024;
/** How long before the function's end a request that still runs is answered with 503. */
const timeoutEarlyMs = 1_000;

/**
 * The app as the target of an API Gateway HTTP API (payload format 2.0). `rest` is called after each response: between
 * two requests the process is frozen, and whatever it keeps open, it can neither use nor close.
 */
export function createLambdaHandler(app: App, log: Log, rest: () => Promise<void>) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({ timeoutEarlyInMillis: timeoutEarlyMs })
    .handler(async (event: APIGatewayProxyEventV2) => {
      const { http, requestId } = event.requestContext;
      return resultOf(await app(requestOf(event), { clientAddress: http.sourceIp, requestId }));
    })
    .after(rest)
    .onError(async (failed) => {
      await rest();
      const { requestId = '' } = failed.event.requestContext ?? {};
      failed.response = await resultOf(failureResponse(failureOf(failed.error, requestId, log), requestId));
    });
}

/** The request as the app knows it. Throws `HttpError` 400 where the event holds none. */
function requestOf(event: APIGatewayProxyEventV2): Request {
  const { requestContext, rawPath, rawQueryString, headers, body, isBase64Encoded } = event;
  const { method } = requestContext.http;
  const octets = body === undefined ? null : Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  try {
    const url = new URL(`https://${requestContext.domainName}`);
    url.pathname = rawPath;
    url.search = rawQueryString;
    const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return new Request(url, { method, headers: given, body: method === 'GET' || method === 'HEAD' ? null : octets });
  } catch (cause) {
    throw new HttpError(400, `The request cannot be used: ${(cause as Error).name}.`);
  }
}

/** The response as the gateway wants it, read to its end; one that is too large is replaced by a problem that says so. */
async function resultOf(response: Response): Promise<APIGatewayProxyStructuredResultV2> {
  const isText = /^application\/(?:problem\+)?json\b/.test(response.headers.get('Content-Type') ?? '');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > maxPayloadOctets) break;
  }
  const result: APIGatewayProxyStructuredResultV2 = {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.concat(chunks).toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  };
  if (size <= maxPayloadOctets && Buffer.byteLength(JSON.stringify(result)) <= maxPayloadOctets) return result;
  return resultOf(failureResponse(new HttpError(413, 'The response is larger than this server can send.')));
}

/** What the client is told: to come back when time ran out, else only that something went wrong here. */
function failureOf(error: Error | null, requestId: string, log: Log): unknown {
  if (error instanceof HttpError) return error;
  if (error?.name === 'TimeoutError') {
    logUnavailable(log.about(requestId), error);
    return new Unavailable('the time of the request is over');
  }
  logDefect(log.about(requestId), requestId, error);
  return error;
}
