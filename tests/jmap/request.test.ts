import { describe, expect, test } from '@jest/globals';
import { RequestError } from '../../shared/jmap/errors.ts';
import { problemDetails } from '../../shared/jmap/problem-details.ts';
import { parseRequest } from '../../shared/jmap/request.ts';

const mail = 'urn:ietf:params:jmap:mail';
const submission = 'urn:ietf:params:jmap:submission';
const rules = {
  limits: { maxSizeRequest: 1000, maxCallsInRequest: 2 },
  capabilities: new Set(['urn:ietf:params:jmap:core', mail, submission]),
};
const echo = ['Core/echo', { a: 1 }, 'c1'];
const bytes = (text: string) => new TextEncoder().encode(text);

describe('parseRequest', () => {
  test('reads a Request from octets and from text alike', () => {
    const text = JSON.stringify({ using: [mail], methodCalls: [echo, echo], later: 'ignored' });
    const expected = { using: new Set([mail]), methodCalls: [echo, echo], createdIds: undefined };
    expect(parseRequest(bytes(text), rules)).toEqual(expected);
    expect(parseRequest(text, rules)).toEqual(expected);
  });

  test('tells createdIds that are empty from createdIds that are not there', () => {
    const given = { using: [], methodCalls: [], createdIds: {} };
    expect(parseRequest(JSON.stringify(given), rules).createdIds).toEqual({});
  });

  const call = (methodCall: unknown) => ({ using: [], methodCalls: [methodCall] });
  const refused: [string, string, Uint8Array | string, string][] = [
    ['what is not JSON', 'notJSON', '{"using":', 'position 9'],
    ['what is not UTF-8', 'notJSON', Uint8Array.of(0x22, 0xff, 0x22), 'UTF-8'],
    ['a byte order mark', 'notJSON', bytes('\ufeff{}'), 'position 0'],
    ['an array', 'notRequest', '[]', 'Request object'],
    ['null', 'notRequest', 'null', 'Request object'],
    ['a Request without using', 'notRequest', '{"methodCalls":[]}', '/using: is missing'],
    ['a Request without methodCalls', 'notRequest', '{"using":[]}', '/methodCalls: is missing'],
    ['a using that is no array', 'notRequest', '{"using":"x","methodCalls":[]}', '/using'],
    ['a capability that is no string', 'notRequest', '{"using":[1],"methodCalls":[]}', '/using/0'],
    ['a call that is no array', 'notRequest', JSON.stringify(call({})), '/methodCalls/0'],
    ['a call without id', 'notRequest', JSON.stringify(call(['Core/echo', {}])), '/methodCalls/0'],
    ['a call with a surplus element', 'notRequest', JSON.stringify(call(['Core/echo', {}, 'a', 1])), '/methodCalls/0'],
    ['arguments that are an array', 'notRequest', JSON.stringify(call(['Core/echo', [], 'a'])), '/methodCalls/0'],
    ['arguments that are null', 'notRequest', JSON.stringify(call(['Core/echo', null, 'a'])), '/methodCalls/0'],
    ['a call id that is a number', 'notRequest', JSON.stringify(call(['Core/echo', {}, 1])), '/methodCalls/0'],
    ['createdIds that are no map', 'notRequest', '{"using":[],"methodCalls":[],"createdIds":[]}', '/createdIds'],
    [
      'a created id that is no Id',
      'notRequest',
      '{"using":[],"methodCalls":[],"createdIds":{"k":"?"}}',
      '/createdIds/k',
    ],
    ['an unknown capability', 'unknownCapability', '{"using":["urn:x"],"methodCalls":[]}', '"urn:x"'],
    ['octets beyond maxSizeRequest', 'limit', bytes('x'.repeat(1001)), '1000'],
    ['text beyond maxSizeRequest in UTF-8', 'limit', 'é'.repeat(501), '1000'],
    ['too many calls', 'limit', JSON.stringify({ using: [], methodCalls: [echo, echo, echo] }), '2'],
  ];
  test.each(refused)('refuses %s', (_what, type, body, detail) => {
    expect(() => parseRequest(body, rules)).toThrow(
      expect.objectContaining({ type, status: 400, detail: expect.stringContaining(detail) }),
    );
  });

  test('takes implied capabilities for given, where the server is lenient and has them', () => {
    const lenient = { ...rules, impliedCapabilities: { [mail]: [submission, 'urn:ietf:params:jmap:quota'] } };
    const text = JSON.stringify({ using: [mail], methodCalls: [] });
    expect(parseRequest(text, lenient).using).toEqual(new Set([mail, submission]));
    expect(parseRequest(text, rules).using).toEqual(new Set([mail]));
    expect(parseRequest('{"using":[],"methodCalls":[]}', lenient).using).toEqual(new Set());
  });
});

test('problem details have the type as a URN, and the limit where there is one', () => {
  expect(problemDetails(new RequestError('notJSON', 'what'))).toEqual({
    type: 'urn:ietf:params:jmap:error:notJSON',
    status: 400,
    detail: 'what',
  });
  expect(problemDetails(new RequestError('limit', 'much', { limit: 'maxSizeRequest', status: 413 }))).toEqual({
    type: 'urn:ietf:params:jmap:error:limit',
    status: 413,
    detail: 'much',
    limit: 'maxSizeRequest',
  });
});
