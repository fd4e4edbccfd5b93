import type { Response } from '../../shared/jmap/dispatch.ts';
import { methodError } from '../../shared/jmap/errors.ts';
import type { Invocation } from '../../shared/jmap/request.ts';

/** One Response object (RFC 8620 §3.4) while its calls are run, and as JSON of at most so many octets. */
export type FittedResponse = {
  /**
   * Takes in each response in turn and gives what is kept of it: one that passes the limit together with those kept before it could
   * not be sent, and becomes `requestTooLarge` (§3.6.2) at once; but never one for which `isWriting` is true.
   */
  readonly keep: (invocation: Invocation) => Invocation;
  /**
   * The JSON text. Calls that would pass the limit get `requestTooLarge` instead, the earlier ones first served; but never calls for
   * which `isWriting` is true: what they did is done, and has to be told.
   */
  readonly write: (response: Response) => { readonly json: string; readonly methodResponses: readonly Invocation[] };
};

/** A response to be measured and written: each of its invocations becomes JSON once. */
export function fittedResponse(maxOctets: number, isWriting: (methodName: string) => boolean): FittedResponse {
  const forms = new WeakMap<Invocation, Form>();
  const formOf = (invocation: Invocation): Form => {
    const known = forms.get(invocation);
    if (known !== undefined) return known;
    const json = JSON.stringify(invocation);
    const form = { invocation, json, octets: Buffer.byteLength(json) };
    forms.set(invocation, form);
    return form;
  };
  let keptOctets = 0;

  return {
    keep: (invocation) => {
      const [name, , callId] = invocation;
      const { octets } = formOf(invocation);
      if (keptOctets + octets > maxOctets && name !== 'error' && !isWriting(name)) {
        return ['error', methodError('requestTooLarge'), callId];
      }
      keptOctets += octets;
      return invocation;
    },

    write: ({ methodResponses, ...rest }) => {
      const choices = methodResponses.map((invocation) => {
        const full = formOf(invocation);
        const [name, , callId] = invocation;
        const short = formOf(['error', methodError('requestTooLarge'), callId]);
        return { full, short: isWriting(name) || short.octets > full.octets ? full : short };
      });
      const others = JSON.stringify(rest).slice(1);
      const commas = Math.max(choices.length - 1, 0);
      const frame = '{"methodResponses":[],'.length + commas + Buffer.byteLength(others);
      let octets = choices.reduce((sum, { short }) => sum + short.octets, frame);
      const chosen = choices.map(({ full, short }) => {
        if (octets - short.octets + full.octets > maxOctets) return short;
        octets += full.octets - short.octets;
        return full;
      });
      return {
        json: `{"methodResponses":[${chosen.map(({ json }) => json).join(',')}],${others}`,
        methodResponses: chosen.map(({ invocation }) => invocation),
      };
    },
  };
}

type Form = { readonly invocation: Invocation; readonly json: string; readonly octets: number };
