// Email/import (RFC 8621 §4.8)
import { stateOf } from '../../catalog/changes.ts';
import type { CatalogView } from '../../catalog/view.ts';
import { methodError, ok, type Result, refuse, type SetError } from '../../jmap/errors.ts';
import {
  anyObject,
  creationId,
  id,
  mapOf,
  nullable,
  optional,
  quote,
  reference,
  setOf,
  state,
  utcDate,
} from '../../jmap/grammar.ts';
import { type AccountMethod, accountMethod } from '../../jmap/method.ts';
import { type RecordOf, recordType, serverSet } from '../../jmap/record-type.ts';
import { isId, type JsonObject } from '../../jmap/scalars.ts';
import { createAll } from '../../jmap/standard/create.ts';
import { mapOrNull } from '../../jmap/standard/outcomes.ts';
import { stepsFrom } from '../../jmap/standard/steps.ts';
import type { CanCreate, Some } from '../../jmap/verbs.ts';
import { headerDate } from '../../message/header-date.ts';
import { headerLimits, parseHeaders } from '../../message/parse-headers.ts';
import { unfold } from '../../message/unfold.ts';
import { blobReference } from '../Blob/blob-reference.ts';
import { type BlobReading, type BlobSource, blobReader } from './blob-contents.ts';
import { appendPiece, type CreatePorts } from './create.ts';
import { beginsLikeMessage } from './parsed-message.ts';
import { type NewEmail, putIn, type ReadContent, secondsOf } from './put-in.ts';
import { keyword } from './record.ts';

/** An EmailImport; what it has of its own besides is the message. */
const emailImportType = recordType('EmailImport', {
  id: serverSet(id),
  blobId: blobReference,
  mailboxIds: setOf(reference),
  keywords: optional(setOf(keyword)),
  receivedAt: optional(utcDate),
});
type EmailImport = RecordOf<typeof emailImportType>;

/**
 * Messages from blobs: what was uploaded, attached messages, and other messages of the account. A bare LF becomes CRLF; otherwise the
 * octets stay as they are. One with NUL, or that does not begin with a header, is `invalidEmail`.
 */
export const importEmails: AccountMethod<CreatePorts> = accountMethod(
  { ifInState: nullable(state), emails: mapOf(creationId, anyObject) },
  async (args, ports: CreatePorts, { limits, createdIds, report }) => {
    const emails = new Map(Object.entries(args.emails));
    if (emails.size > limits.maxObjectsInSet) {
      return refuse(methodError('requestTooLarge', `more than ${limits.maxObjectsInSet} Emails`));
    }
    const view = await ports.catalog.view('now');
    const oldState = stateOf(view, 'Email');
    if (args.ifInState !== null && args.ifInState !== oldState) {
      return refuse(methodError('stateMismatch', `the state is ${quote(oldState)}`));
    }
    const steps = stepsFrom(oldState, report);
    // The engine makes sure that the records are what the port expects.
    const port = canImport(view, ports) as unknown as CanCreate<JsonObject>;
    const outcomes = await createAll(emailImportType, emails, port, {}, createdIds, steps);
    const created = new Map([...outcomes.done].map(([creationId, { response }]) => [creationId, response]));
    const response = {
      accountId: args.accountId,
      oldState: steps.oldState(),
      newState: steps.newState(),
      created: mapOrNull(created),
      notCreated: mapOrNull(outcomes.refused),
    };
    return ok({ response, doubt: steps.doubt() });
  },
  { writes: true },
);

function canImport(view: CatalogView, ports: CreatePorts): CanCreate<EmailImport> {
  return {
    latestState: async () => stateOf(view, 'Email'),
    create: async (records) => {
      const emails = [...records].map(([creationId, each]): [string, NewEmail] => {
        const { mailboxIds, keywords = {} } = each;
        const content = { read: (reading: BlobReading) => importedContent(each, ports, reading) };
        return [creationId, { mailboxIds: Object.keys(mailboxIds), keywords: Object.keys(keywords), content }];
      });
      const put = await putIn(new Map(emails), view, ports);
      const results = put.results as ReadonlyMap<string, Result<Some<EmailImport>, SetError>>;
      return { oldState: stateOf(put.before, 'Email'), newState: stateOf(put.after, 'Email'), results };
    },
  };
}

async function importedContent(
  { blobId, receivedAt }: Pick<EmailImport, 'blobId' | 'receivedAt'>,
  ports: CreatePorts,
  reading: BlobReading,
): Promise<Result<ReadContent, SetError>> {
  const content = isId(blobId) ? await blobReader(ports, reading)(blobId, true) : null;
  if (content === null) {
    const description = `there is no blob ${quote(blobId)}`;
    return refuse({ type: 'invalidProperties', properties: ['blobId'], description });
  }
  const header = content === 'notAMessage' ? null : await headerOf(content.source, ports);
  if (content === 'notAMessage' || header === null || !beginsLikeMessage(header)) {
    return refuse({ type: 'invalidEmail', description: 'the blob is no message' });
  }
  const fields = parseHeaders(header);
  const firstOf = (name: string) => fields.find((field) => field.name.toLowerCase() === name)?.value;
  const received = headerDate(firstOf('received')?.split(';').at(-1) ?? '');
  const { source, size } = content;
  return ok({
    pieces: [appendPiece({ kind: 'blob', source, size, isToEncode: false }, reading.canTakeStored)],
    messageId: unfold(firstOf('message-id') ?? '').trim(),
    size,
    receivedAt: receivedAt === undefined ? receivedOr(received, ports) : secondsOf(receivedAt),
  });
}

/** The date of the most recent Received field, else the present, in seconds since the epoch. */
function receivedOr(received: string | null, { surroundings }: CreatePorts): number {
  return received === null ? Math.floor(surroundings.now() / 1000) : Math.floor(Date.parse(received) / 1000);
}

/** The beginning of a message, with its header; null where it is not there any more. */
async function headerOf({ stored, open }: BlobSource, { messages }: CreatePorts): Promise<Uint8Array | null> {
  if (stored !== null) {
    const request = { ...stored, maxOctets: headerLimits.bytesMax };
    return (await messages.readSections([request])).get(request) ?? null;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of await open()) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= headerLimits.bytesMax) break;
  }
  return Buffer.concat(chunks);
}
