import { describe, expect, test } from '@jest/globals';
import { smallLimits } from '../in-memory/server.ts';
import { expectAnswered } from './laws.ts';

const request =
  '{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{},"a"],["X/get",{"ids":["1","1"]},"b"]]}';
const echo = '["Core/echo",{},"a"]';
const error = '["error",{"type":"unknownMethod"},"b"]';
const got = '["X/get",{"list":[{"id":"1"}],"notFound":[]},"b"]';
const response = (...methodResponses: string[]) => `{"methodResponses":[${methodResponses}],"sessionState":"s"}`;
const problem = '{"type":"urn:ietf:params:jmap:error:notJSON","status":400}';

describe('the laws accept', () => {
  test.each([
    ['answers in order', request, 200, response(echo, got)],
    ['errors that a client brings about', request, 200, response(echo, error)],
    ['a problem where there is no request', '{', 400, problem],
  ])('%s', (_, body, status, text) => {
    expect(() => expectAnswered(body, { status, text }, smallLimits)).not.toThrow();
  });
});

describe('the laws refuse', () => {
  test.each([
    ['a status of our fault', request, 500, '{}', '200'],
    ['a problem in answer to a request', request, 400, problem, '200'],
    ['a response where there is no request', '{', 200, response(), 'the client’s fault'],
    [
      'a problem without a type of the RFC',
      '{',
      400,
      '{"type":"about:blank","status":400}',
      'a type that the RFC names',
    ],
    ['an answer that is missing', request, 200, response(echo), 'one answer'],
    ['answers in another order', request, 200, response(error, echo), 'under its id'],
    ['an answer by another name', request, 200, response(echo, '["Y/get",{},"b"]'), 'by its name'],
    ['serverFail', request, 200, response(echo, '["error",{"type":"serverFail"},"b"]'), 'the client’s fault'],
    ['a record twice', request, 200, response(echo, '["X/get",{"list":[{"id":"1"},{"id":"1"}]},"b"]'), 'each id once'],
    ['a record that is not accounted for', request, 200, response(echo, '["X/get",{"list":[]},"b"]'), 'each id once'],
    ['what is no I-JSON', request, 200, response(echo, '["X/get",{"a":"\\ud800"},"b"]'), 'lone surrogate'],
    ['more than the limit', request, 200, response(`["Core/echo",{"a":"${'x'.repeat(400_000)}"},"a"]`, error), 'limit'],
  ])('%s', (_, body, status, text, why) => {
    expect(() => expectAnswered(body, { status, text }, smallLimits)).toThrow(why);
  });
});
