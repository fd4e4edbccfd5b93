import { Unavailable } from '../jmap/errors.ts';
import type { OpenedSection, Place } from '../methods/Email/mail.ts';
import { atom } from './arguments.ts';
import { isAt, unlessGone } from './at-place.ts';
import { sectionItem } from './fetch-plan.ts';
import { fetchItem, fetchPartial } from './fetch-row.ts';
import { imapLimits } from './limits.ts';
import { numberOf, octetsOf } from './response.ts';
import type { HoldSession, UseSession } from './use.ts';

const chunkOctets = imapLimits.streamChunkOctets;

type Chunk = { readonly octets: Uint8Array; readonly messageSize: number | null };

/**
 * A message or section as a stream, read as fast as it is drunk. Null where it is not there. The session is held until the
 * stream ends, is cancelled, or nobody reads it for a while. `size` is what there is, and not merely what the server says of it.
 */
export async function openSection(
  use: UseSession,
  hold: HoldSession,
  place: Place,
  section: string,
): Promise<OpenedSection | null> {
  const release = hold();
  let next: Chunk | null;
  let size: number | null = null;
  try {
    next = await readChunk(use, place, section, 0);
    if (next !== null) size = await sizeBehind(next, use, place);
  } catch (error) {
    release();
    throw error;
  }
  if (next === null) {
    release();
    return null;
  }
  let from = 0;
  let idle = setTimeout(release, imapLimits.streamIdleMs).unref();
  const octets = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        clearTimeout(idle);
        try {
          const chunk: Chunk | null = next ?? (await readChunk(use, place, section, from));
          next = null;
          if (chunk === null) throw new Unavailable('The message was removed while it was read');
          from += chunk.octets.length;
          if (chunk.octets.length > 0) controller.enqueue(chunk.octets);
          if (chunk.octets.length < chunkOctets) {
            controller.close();
            release();
            return;
          }
          idle = setTimeout(release, imapLimits.streamIdleMs).unref();
        } catch (error) {
          release();
          throw error;
        }
      },
      cancel: () => {
        clearTimeout(idle);
        release();
      },
    },
    { highWaterMark: 0 },
  );
  return { octets, size };
}

/**
 * The size of what begins with this chunk; null where it is not known. QUIRK(exchange): RFC822.SIZE may be that of another form of the
 * message, so it is believed where there is one octet at its end, and none behind it.
 */
async function sizeBehind({ octets, messageSize }: Chunk, use: UseSession, place: Place): Promise<number | null> {
  if (octets.length < chunkOctets) return octets.length;
  if (messageSize === null || messageSize < chunkOctets) return null;
  const last = await readChunk(use, place, '', messageSize - 1, 2);
  return last?.octets.length === 1 ? messageSize : null;
}

async function readChunk(
  use: UseSession,
  place: Place,
  section: string,
  from: number,
  count: number = chunkOctets,
): Promise<Chunk | null> {
  return use(async (session) => {
    if (!(await isAt(session, { ...place, uidNext: place.uid + 1 }))) return null;
    let chunk: Chunk | null = null;
    const items = [atom('UID'), ...(section === '' ? [atom('RFC822.SIZE')] : []), sectionItem(section, from, count)];
    const fetching = session.fetch([[place.uid, place.uid]], items, { rowsMax: 1 }, ({ uid, items: found }) => {
      const octets = octetsOf(fetchPartial(found, section, from));
      // Behind the end of a section some servers see an empty string, others nothing at all.
      if (uid !== place.uid || (octets === null && from === 0)) return;
      const messageSize = section === '' ? numberOf(fetchItem(found, 'RFC822.SIZE'), Number.MAX_SAFE_INTEGER) : null;
      chunk = { octets: octets?.subarray(0, count) ?? new Uint8Array(), messageSize };
    });
    await unlessGone(fetching);
    return chunk;
  });
}
