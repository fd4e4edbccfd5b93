import type { Response } from '../../shared/jmap/dispatch.ts';
import { methodError } from '../../shared/jmap/errors.ts';
import type { Invocation } from '../../shared/jmap/request.ts';

/**
 * The Response object (RFC 8620 §3.4) as JSON of at most `maxOctets`. Calls that would pass that get `requestTooLarge`
 * (§3.6.2) instead, the earlier ones first served; but never calls for which `isWriting` is true: what they did is done, and has to be told.
 */
export function fitResponse(
  response: Response,
  maxOctets: number,
  isWriting: (methodName: string) => boolean,
): { readonly json: string; readonly methodResponses: readonly Invocation[] } {
  const { methodResponses, ...rest } = response;
  const forms = methodResponses.map((invocation) => {
    const full = formOf(invocation);
    const [name, , callId] = invocation;
    const short = formOf(['error', methodError('requestTooLarge'), callId]);
    return { full, short: isWriting(name) || short.octets > full.octets ? full : short };
  });
  const others = JSON.stringify(rest).slice(1);
  const commas = Math.max(forms.length - 1, 0);
  const frame = '{"methodResponses":[],'.length + commas + Buffer.byteLength(others);
  let octets = forms.reduce((sum, { short }) => sum + short.octets, frame);
  const chosen = forms.map(({ full, short }) => {
    if (octets - short.octets + full.octets > maxOctets) return short;
    octets += full.octets - short.octets;
    return full;
  });
  return {
    json: `{"methodResponses":[${chosen.map(({ json }) => json).join(',')}],${others}`,
    methodResponses: chosen.map(({ invocation }) => invocation),
  };
}

function formOf(invocation: Invocation) {
  const json = JSON.stringify(invocation);
  return { invocation, json, octets: Buffer.byteLength(json) };
}

/**
 * Keeps what a response may hold while its calls are run: one that passes `maxOctets` together with those kept before it could not be
 * sent, and becomes `requestTooLarge` at once; but never one for which `isWriting` is true.
 */
export function responseKeeper(
  maxOctets: number,
  isWriting: (methodName: string) => boolean,
): (invocation: Invocation) => Invocation {
  let octets = 0;
  return (invocation) => {
    const [name, , callId] = invocation;
    const size = formOf(invocation).octets;
    if (octets + size > maxOctets && name !== 'error' && !isWriting(name)) {
      return ['error', methodError('requestTooLarge'), callId];
    }
    octets += size;
    return invocation;
  };
}
