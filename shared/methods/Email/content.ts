import { TooMuchAtOnce } from '../../catalog/source.ts';
import { type MethodError, methodError, ok, type Result, refuse } from '../../jmap/errors.ts';
import type { Id, JsonObject } from '../../jmap/scalars.ts';
import { hasAttachment } from '../../message/body-structure.ts';
import { type EmailHeader, parseHeaders } from '../../message/parse-headers.ts';
import type { Part } from '../../message/part.ts';
import { bodyValuesOf, type WantedValue, wantedValues } from './body-values.ts';
import type { CanReadContents, MessageFacts } from './mail.ts';
import { readPartHeaders } from './part-headers.ts';
import { batchesOf, type SizeWish, sizesBy, sizeWishes, withSizes } from './part-sizes.ts';
import type { Plan } from './plan.ts';
import { readPreviews } from './previews.ts';

/** What was read of one message, as far as the plan asked for it. */
export type Content = {
  readonly headers: readonly EmailHeader[];
  readonly structure: Part | null;
  readonly hasAttachment: boolean;
  readonly preview: string;
  readonly bodyValues: JsonObject;
};

/** A message to be read: the id of its blob, where it lies (null: nowhere), and `hasAttachment` where that is remembered. */
export type Subject<P> = {
  readonly blobId: Id;
  readonly place: P | null;
  readonly hasAttachment: boolean | null;
};

/** A message that is being read: where it lies, and its part tree where that was needed. */
export type Reading<P> = { readonly subject: Subject<P>; readonly place: P; readonly facts: MessageFacts };

/**
 * Reads what the plan says, and only that, by blob id. Messages that were not at their place any more are absent. `requestTooLarge`: it is
 * more than can be held in memory.
 */
export async function readContent<P>(
  subjects: readonly Subject<P>[],
  plan: Plan,
  messages: CanReadContents<P>,
): Promise<Result<ReadonlyMap<Id, Content>, MethodError>> {
  if (!asksTheServer(plan, subjects)) {
    return ok(new Map(subjects.map((subject) => [subject.blobId, contentOf(subject, {}, nothingMore)])));
  }
  const facts = await readFacts(subjects, plan, messages);
  if (!facts.ok) return facts;
  const readings = facts.value;
  const withParts = plan.partHeaders ? await readPartHeaders(readings, messages) : readings;
  const previews = plan.preview ? await readPreviews(withParts, messages) : nothingMore.previews;
  const bodies = await readBodies(withParts, plan, messages);
  if (!bodies.ok) return bodies;
  const { sized, bodyValues } = bodies.value;
  const more = { previews, bodyValues };
  return ok(new Map(sized.map(({ subject, facts }) => [subject.blobId, contentOf(subject, facts, more)])));
}

/** Reads the values of text parts, and the sizes of parts; as far as there is not too much of both, together. */
async function readBodies<P>(
  readings: readonly Reading<P>[],
  plan: Plan,
  messages: CanReadContents<P>,
): Promise<Result<Bodies<P>, MethodError>> {
  const wanted = plan.bodyValues === null ? ok<readonly WantedValue<P>[]>([]) : wantedValues(readings, plan.bodyValues);
  if (!wanted.ok) return wanted;
  const isWhole = ({ request }: WantedValue<P>) => request.maxOctets === undefined;
  const whole = new Map(wanted.value.filter(isWhole).map(({ part, request }) => [part, request]));
  const wishes = sizeWishes(readings, plan.sized).map((wish) => ({
    ...wish,
    request: whole.get(wish.part) ?? wish.request,
  }));
  const ofValues = new Set(wanted.value.map(({ request }) => request));
  const isOfValue = ({ request }: SizeWish<P>) => ofValues.has(request);
  const [first = [], ...others] = batchesOf(wishes.filter((wish) => !isOfValue(wish)));
  const requests = [...ofValues, ...first.map(({ request }) => request)];
  const sections = requests.length === 0 ? new Map() : await messages.readSections(requests);

  const sizes = new Map<Part, number>();
  const untold = sizesBy([...wishes.filter(isOfValue), ...first], sections, sizes);
  const readMore = async (batch: readonly SizeWish<P>[]) =>
    sizesBy(batch, await messages.readSections(batch.map(({ request }) => request)), sizes);
  for (const batch of others) untold.push(...(await readMore(batch)));
  for (const batch of batchesOf(untold)) await readMore(batch);
  const bodyValues = bodyValuesOf(wanted.value, sections, plan.bodyValues?.maxBytes ?? 0);
  return ok({ sized: withSizes(readings, sizes), bodyValues });
}

type Bodies<P> = { readonly sized: readonly Reading<P>[]; readonly bodyValues: ReadonlyMap<Id, JsonObject> };

type More = { readonly previews: ReadonlyMap<Id, string>; readonly bodyValues: ReadonlyMap<Id, JsonObject> };
const nothingMore: More = { previews: new Map(), bodyValues: new Map() };

function contentOf<P>(subject: Subject<P>, facts: MessageFacts, { previews, bodyValues }: More): Content {
  const structure = facts.structure ?? null;
  return {
    headers: facts.headers === undefined ? [] : parseHeaders(facts.headers),
    structure,
    hasAttachment: subject.hasAttachment ?? (structure !== null && hasAttachment(structure)),
    preview: previews.get(subject.blobId) ?? '',
    bodyValues: bodyValues.get(subject.blobId) ?? {},
  };
}

function asksTheServer<P>(plan: Plan, subjects: readonly Subject<P>[]): boolean {
  return plan.headers !== 'none' || plan.structure || plan.preview || needsStructure(plan, subjects);
}

/** The part tree is asked of all messages when one needs it: so each mailbox is read by one FETCH. */
function needsStructure<P>(plan: Plan, subjects: readonly Subject<P>[]): boolean {
  return plan.structure || (plan.hasAttachment && subjects.some((subject) => subject.hasAttachment === null));
}

async function readFacts<P>(
  subjects: readonly Subject<P>[],
  plan: Plan,
  messages: CanReadContents<P>,
): Promise<Result<Reading<P>[], MethodError>> {
  const structure = needsStructure(plan, subjects);
  const places = subjects.flatMap(({ place }) => (place === null ? [] : [place]));
  const needs = { headers: plan.headers, structure, preview: plan.preview };
  let found: ReadonlyMap<P, MessageFacts>;
  try {
    found = await messages.read(places, needs);
  } catch (error) {
    if (error instanceof TooMuchAtOnce) return refuse(methodError('requestTooLarge', error.message));
    throw error;
  }
  const readings = subjects.flatMap((subject) => {
    const { place } = subject;
    const facts = place === null ? undefined : found.get(place);
    return place !== null && facts ? [{ subject, place, facts }] : [];
  });
  return ok(readings);
}
