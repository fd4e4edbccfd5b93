import { bodyParts, leaves } from '../../message/body-structure.ts';
import type { Part } from '../../message/part.ts';
import { octetsForSize, sizeOfBase64, sizeOfBody } from '../../message/part-size.ts';
import type { Reading } from './content.ts';
import type { SectionRequest } from './mail.ts';
import type { SizedLists } from './plan.ts';

/** A larger body is not read for its size: then that is an estimate. */
const bodyOctetsMax = 4 * 1024 * 1024;
/** Octets that are read together, and how often one call reads so many. */
const batchOctetsMax = 8 * 1024 * 1024;
const batchesMax = 8;

/** A part whose size is to be learned, and what tells it. */
export type SizeWish<P> = { readonly part: Part; readonly place: P; readonly request: SectionRequest<P> };

/** What is to be read for the sizes of the parts that will be shown. */
export function sizeWishes<P>(readings: readonly Reading<P>[], lists: SizedLists): SizeWish<P>[] {
  return readings.flatMap(({ place, facts: { structure } }) => {
    const parts = structure === undefined ? [] : [...shownParts(structure, lists)];
    return parts.flatMap((part) => {
      const octets = octetsForSize(part);
      if (octets === 'none' || part.partId === null) return [];
      if (octets !== 'all') return [{ part, place, request: { place, section: part.partId, ...octets } }];
      return part.encodedSize > bodyOctetsMax ? [] : [{ part, place, request: { place, section: part.partId } }];
    });
  });
}

function shownParts(structure: Part, lists: SizedLists): Set<Part> {
  if (lists.has('bodyStructure')) return new Set(leaves(structure));
  const parts = bodyParts(structure);
  return new Set(
    (['textBody', 'htmlBody', 'attachments'] as const).flatMap((name) => (lists.has(name) ? parts[name] : [])),
  );
}

/** Wishes that are read together, in their order, as far as one call goes. */
export function* batchesOf<P>(wishes: readonly SizeWish<P>[]): Generator<readonly SizeWish<P>[]> {
  let batch: SizeWish<P>[] = [];
  let octets = 0;
  let batches = 0;
  for (const wish of wishes) {
    const wanted = wish.request.maxOctets ?? wish.part.encodedSize;
    if (octets + wanted > batchOctetsMax && batch.length > 0) {
      yield batch;
      if (++batches === batchesMax) return;
      [batch, octets] = [[], 0];
    }
    batch.push(wish);
    octets += wanted;
  }
  if (batch.length > 0) yield batch;
}

type Sections<P> = ReadonlyMap<SectionRequest<P>, Uint8Array>;

/** Sizes by part, and the wishes for whole bodies whose end does not tell. */
export function sizesBy<P>(
  wishes: readonly SizeWish<P>[],
  sections: Sections<P>,
  sizes: Map<Part, number>,
): SizeWish<P>[] {
  const untold: SizeWish<P>[] = [];
  for (const { part, place, request } of wishes) {
    const octets = sections.get(request);
    if (octets === undefined) continue;
    const size =
      request.from === undefined ? sizeOfBody(octets, part.encoding) : sizeOfBase64(part.encodedSize, octets);
    if (size !== null) sizes.set(part, size);
    else if (part.encodedSize <= bodyOctetsMax)
      untold.push({ part, place, request: { place, section: request.section } });
  }
  return untold;
}

/** The readings with sizes in their part trees. */
export function withSizes<P>(readings: readonly Reading<P>[], sizes: ReadonlyMap<Part, number>): readonly Reading<P>[] {
  if (sizes.size === 0) return readings;
  const sized = (part: Part): Part => ({
    ...part,
    size: sizes.get(part) ?? part.size,
    subParts: part.subParts.map(sized),
  });
  return readings.map((reading) => {
    const { structure } = reading.facts;
    return structure ? { ...reading, facts: { ...reading.facts, structure: sized(structure) } } : reading;
  });
}
