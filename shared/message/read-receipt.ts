import { bodyValue } from './body-value.ts';
import { decodeTransfer } from './decode-transfer.ts';
import { type DispositionNotification, parseDispositionNotification } from './disposition-notification.ts';
import { headerText } from './header-text.ts';
import { partBody } from './parse-message.ts';
import { isMultipart, type Part } from './part.ts';
import type { ParsedMessage } from './section.ts';

/** A message that tells what became of another one (RFC 8098 §3). */
export type ReadReceipt = DispositionNotification & {
  readonly subject: string | null;
  /** The part that people read, as plain text. */
  readonly textBody: string | null;
  /** Whether the other message is in it, whole. */
  readonly includesOriginal: boolean;
};

/** Octets of a notification that are read. */
const notificationOctetsMax = 100_000;

/** Reads a message as such; null where it is none. */
export function readReceipt({ octets, root }: ParsedMessage): ReadReceipt | null {
  if (root.type !== 'multipart/report') return null;
  const notification = root.subParts.find(({ type }) => notificationTypes.has(type));
  if (notification === undefined) return null;
  const body = decodeTransfer(partBody(octets, notification).subarray(0, notificationOctetsMax), notification.encoding);
  const parsed = parseDispositionNotification(body);
  if (parsed === null) return null;
  const [human] = root.subParts;
  const text = human && human !== notification ? plainTextIn(human) : undefined;
  const subject = root.headers?.find(({ name }) => name.toLowerCase() === 'subject')?.value;
  return {
    ...parsed,
    subject: subject === undefined ? null : headerText(subject),
    textBody: text === undefined ? null : bodyValue(text, partBody(octets, text), { maxBodyValueBytes: 0 }).value,
    includesOriginal: root.subParts.some(({ type }) => messageTypes.has(type)),
  };
}

const notificationTypes: ReadonlySet<string> = new Set([
  'message/disposition-notification',
  'message/global-disposition-notification',
]);
const messageTypes: ReadonlySet<string> = new Set(['message/rfc822', 'message/global']);

function plainTextIn(part: Part): Part | undefined {
  if (part.type === 'text/plain') return part;
  return isMultipart(part) ? part.subParts.map(plainTextIn).find((found) => found !== undefined) : undefined;
}
