import { parseHeaders } from '../../message/parse-headers.ts';
import type { Part } from '../../message/part.ts';
import type { Reading } from './content.ts';
import type { CanReadContents, SectionRequest } from './mail.ts';

/** Completes the part trees with the header fields of every part: `BODY[2.MIME]`, and `BODY[HEADER]` for the root. */
export async function readPartHeaders<P>(
  readings: readonly Reading<P>[],
  messages: CanReadContents<P>,
): Promise<Reading<P>[]> {
  const requests: SectionRequest<P>[] = [];
  const asked = new Map<Part, SectionRequest<P>>();
  const ask = (reading: Reading<P>, part: Part) => {
    if (part.headers === undefined) {
      const request = { place: reading.place, section: part.section === '' ? 'HEADER' : `${part.section}.MIME` };
      requests.push(request);
      asked.set(part, request);
    }
    for (const child of part.subParts) ask(reading, child);
  };
  for (const reading of readings) if (reading.facts.structure) ask(reading, reading.facts.structure);
  const sections = await messages.readSections(requests);

  const completed = (part: Part): Part => {
    const request = asked.get(part);
    const octets = request && sections.get(request);
    const subParts = part.subParts.map(completed);
    return { ...part, subParts, headers: part.headers ?? (octets === undefined ? [] : parseHeaders(octets)) };
  };
  return readings.map((reading) => {
    const { structure } = reading.facts;
    return structure ? { ...reading, facts: { ...reading.facts, structure: completed(structure) } } : reading;
  });
}
