// Identity/set (RFC 8621 §6.3)
import { ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import type { SetPort } from '../../jmap/standard/set.ts';
import type { Some, Step } from '../../jmap/verbs.ts';
import { isSmtpMailbox } from '../../message/smtp-mailbox.ts';
import type { RecordsView, Wanted } from '../../records/account-records.ts';
import type { Edit } from '../../records/collection.ts';
import { only } from '../kept.ts';
import { shown } from './get.ts';
import { defaultIdentityId, type Identity, type IdentityPorts, identityKind, type KeptIdentity } from './record.ts';
import { maySendFrom, type SendingPolicy } from './sending-policy.ts';

type IdentitySet = SetPort<Identity, unknown, false>;

/** Only addresses that the operator lets the user send from; the Identity of the login stays. */
export function canSetIdentities({ records, sending: { policy, newId } }: IdentityPorts): IdentitySet {
  const kind = identityKind(policy);
  const view = () => records.view(kind);

  /** Commits one step of a /set: all of its edits, or, where there is no room, none. */
  async function step<K extends string, T>(
    wanted: (view: RecordsView<KeptIdentity>) => Wanted<ReadonlyMap<K, Result<T, SetError>>>,
  ): Promise<Step<K, T>> {
    const changed = await records.change(kind, wanted);
    if (changed.ok) {
      const { before, after, answer } = changed.value;
      return { oldState: before.state, newState: after.state, results: answer };
    }
    const now = await view();
    const refused = [...wanted(now).answer.keys()].map((key) => [key, refuse(overQuota)] as const);
    return { oldState: now.state, newState: now.state, results: new Map(refused) };
  }

  return {
    latestState: async () => (await view()).state,
    current: async (ids, properties) => {
      const { records: kept } = await view();
      return new Map(
        ids.flatMap((id) => {
          const identity = kept.get(id);
          return identity === undefined ? [] : [[id, only(properties, shown(id, identity))] as const];
        }),
      );
    },
    create: (given) => {
      const ids = new Map([...given.keys()].map((creationId) => [creationId, newId()]));
      return step<string, Some<Identity>>(() => {
        const edits: Edit[] = [];
        const answer = new Map<string, Result<Some<Identity>, SetError>>();
        for (const [creationId, identity] of given) {
          const objection = objectionTo(identity.email, policy);
          const id = ids.get(creationId) as Id;
          if (objection === undefined) edits.push({ id, value: keptOf(identity) });
          answer.set(creationId, objection === undefined ? ok({ id, mayDelete: true }) : refuse(objection));
        }
        return { edits, answer };
      });
    },
    update: (revisions) =>
      step<Id, JsonObject | null>(({ records: present }) => {
        const edits: Edit[] = [];
        const answer = new Map<Id, Result<JsonObject | null, SetError>>();
        for (const [id, { after }] of revisions) {
          const identity = present.get(id);
          if (identity !== undefined) edits.push({ id, value: { ...identity, ...after } });
          answer.set(id, identity === undefined ? refuse({ type: 'notFound' }) : ok(null));
        }
        return { edits, answer };
      }),
    destroy: (ids) =>
      step<Id, null>(({ records: present }) => {
        const edits: Edit[] = [];
        const answer = new Map<Id, Result<null, SetError>>();
        for (const id of ids) {
          const error = present.has(id) ? (id === defaultIdentityId ? staysForbidden : undefined) : notFound;
          if (error === undefined) edits.push({ id, value: null });
          answer.set(id, error === undefined ? ok(null) : refuse(error));
        }
        return { edits, answer };
      }),
  };
}

const notFound: SetError = { type: 'notFound' };
const staysForbidden: SetError = { type: 'forbidden', description: 'the Identity of the login stays' };
const overQuota: SetError = { type: 'overQuota', description: 'the Identities would take too much room' };

/** Why there can be no Identity with this address. */
function objectionTo(email: string, policy: SendingPolicy): SetError | undefined {
  if (!isSmtpMailbox(email)) return { type: 'invalidProperties', properties: ['email'], description: 'is no address' };
  if (!maySendFrom(policy, email)) return { type: 'forbiddenFrom', description: 'this address is not yours' };
  return undefined;
}

function keptOf({ name, email, replyTo, bcc, textSignature, htmlSignature }: Omit<Identity, 'id'>): KeptIdentity {
  return { name, email, replyTo, bcc, textSignature, htmlSignature };
}
