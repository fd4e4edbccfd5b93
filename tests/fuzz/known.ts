import { isObject } from '../../shared/jmap/grammar.ts';
import type { JsonValue } from '../../shared/jmap/scalars.ts';
import { type Kind, kinds } from './values.ts';

/** What a client has learnt so far of ids and states. */
export type Known = {
  /** Takes in what a Response object tells. */
  readonly learn: (methodResponses: readonly JsonValue[]) => void;
  readonly add: (kind: Kind, value: string) => void;
  /** The text with every `‹kind n›` replaced; where none is known yet, by a word that could be one. */
  readonly resolve: (text: string) => string;
};

export function nothingKnown(): Known {
  const known = new Map(kinds.map((kind) => [kind, new Set<string>()]));
  const add = (kind: Kind | undefined, value: JsonValue) => {
    if (kind !== undefined && typeof value === 'string') known.get(kind)?.add(value);
  };

  const learnFrom = (value: JsonValue, idKind: Kind | undefined): void => {
    if (Array.isArray(value)) for (const item of value) learnFrom(item, idKind);
    if (!isObject(value)) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === 'id') add(idKind, member);
      else if (idsNamed.has(name) && Array.isArray(member)) for (const each of member) add(idKind, each);
      else add(kindNamed.get(name), member);
      learnFrom(member, idKind);
    }
  };

  return {
    learn: (methodResponses) => {
      for (const response of methodResponses) {
        if (!Array.isArray(response)) continue;
        const [name, args = null] = response;
        learnFrom(args, idKindOf.get(String(name).split('/')[0] ?? ''));
      }
    },
    add,
    resolve: (text) =>
      text.replace(/‹(\w+) (\d+)›/g, (_, kind: Kind, n: string) => {
        const values = [...(known.get(kind) ?? [])];
        return values[Number(n) % values.length] ?? `no-${kind}`;
      }),
  };
}

const idKindOf: ReadonlyMap<string, Kind> = new Map([
  ['Email', 'emailId'],
  ['Thread', 'threadId'],
  ['Mailbox', 'mailboxId'],
  ['Identity', 'identityId'],
  ['EmailSubmission', 'submissionId'],
]);
const idsNamed: ReadonlySet<string> = new Set(['ids', 'created', 'updated', 'destroyed', 'removed']);
const kindNamed: ReadonlyMap<string, Kind> = new Map([
  ['threadId', 'threadId'],
  ['blobId', 'blobId'],
  ['partId', 'partId'],
  ['state', 'state'],
  ['newState', 'state'],
  ['queryState', 'queryState'],
  ['newQueryState', 'queryState'],
]);
