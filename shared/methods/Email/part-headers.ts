import { parseHeaders } from '../../message/parse-headers.ts';
import type { Part } from '../../message/part.ts';
import type { Reading } from './content.ts';
import type { CanReadMessages, SectionRequest } from './mail.ts';

/** Completes the part trees with the header fields of every part: `BODY[2.MIME]`, and `BODY[HEADER]` for the root. */
export async function readPartHeaders(readings: readonly Reading[], messages: CanReadMessages): Promise<Reading[]> {
  const requests: SectionRequest[] = [];
  const asked = new Map<Part, SectionRequest>();
  const ask = (reading: Reading, part: Part) => {
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
