import { withoutComments } from './comments.ts';
import { headerText } from './header-text.ts';
import { parseHeaders } from './parse-headers.ts';

export const actionModes = ['manual-action', 'automatic-action'] as const;
export const sendingModes = ['mdn-sent-manually', 'mdn-sent-automatically'] as const;
export const dispositionTypes = ['deleted', 'dispatched', 'displayed', 'processed'] as const;

/** What became of a message (RFC 8098 §3.2.6), in the words of RFC 9007 §2. */
export type Disposition = {
  readonly actionMode: (typeof actionModes)[number];
  readonly sendingMode: (typeof sendingModes)[number];
  readonly type: (typeof dispositionTypes)[number];
};

/** The fields of a message/disposition-notification (RFC 8098 §3); null: it has none such. Values are text without folding. */
export type DispositionNotification = {
  readonly reportingUA: string | null;
  readonly mdnGateway: string | null;
  readonly originalRecipient: string | null;
  readonly finalRecipient: string | null;
  readonly originalMessageId: string | null;
  readonly disposition: Disposition;
  /** The values of all Error fields. */
  readonly error: readonly string[] | null;
  readonly extensionFields: { readonly [name: string]: string } | null;
};

/** The fields that RFC 8098 defines, and those that older documents did; others are extensions. */
const definedFields: ReadonlySet<string> = new Set([
  ...['reporting-ua', 'mdn-gateway', 'original-recipient', 'final-recipient', 'original-message-id', 'disposition'],
  ...['error', 'failure', 'warning'],
]);

/** Extension fields of one notification; more are not read. */
const extensionFieldsMax = 100;

/** Whether a field of this name is an extension (RFC 8098 §3.3): a field name that means nothing yet. */
export function isExtensionName(name: string): boolean {
  return /^[\x21-\x39\x3b-\x7e]{1,100}$/.test(name) && !definedFields.has(name.toLowerCase());
}

/** Whether a text can be the value of a field of a notification: one line of US-ASCII that is not blank. */
export function isFieldText(text: string): boolean {
  return /^[\x20-\x7e]{1,900}$/.test(text) && text.trim() !== '';
}

/** Reads the body of such a part; null where it does not say what became of the message, in words that are known. */
export function parseDispositionNotification(body: Uint8Array): DispositionNotification | null {
  const values = new Map<string, string[]>();
  const extensions = new Map<string, string>();
  for (const { name, value } of parseHeaders(body)) {
    const text = headerText(value).trim();
    const key = name.toLowerCase();
    if (definedFields.has(key)) values.set(key, [...(values.get(key) ?? []), text]);
    else if (!extensions.has(name) && extensions.size < extensionFieldsMax) extensions.set(name, text);
  }
  const first = (key: string) => values.get(key)?.[0] ?? null;
  const disposition = parseDisposition(first('disposition') ?? '');
  if (disposition === null) return null;
  return {
    reportingUA: first('reporting-ua'),
    mdnGateway: first('mdn-gateway'),
    originalRecipient: first('original-recipient'),
    finalRecipient: first('final-recipient'),
    originalMessageId: first('original-message-id'),
    disposition,
    error: values.get('error') ?? null,
    extensionFields: extensions.size === 0 ? null : Object.fromEntries(extensions),
  };
}

/** `manual-action/MDN-sent-manually; displayed/error`, in any case. */
function parseDisposition(value: string): Disposition | null {
  const [, action, sending, type] =
    /^\s*([\w-]+)\s*\/\s*([\w-]+)\s*;\s*([\w-]+)\s*(?:\/|$)/.exec(withoutComments(value).toLowerCase()) ?? [];
  const actionMode = known(actionModes, action);
  const sendingMode = known(sendingModes, sending);
  const dispositionType = known(dispositionTypes, type);
  if (actionMode === null || sendingMode === null || dispositionType === null) return null;
  return { actionMode, sendingMode, type: dispositionType };
}

function known<T extends string>(words: readonly T[], word: string | undefined): T | null {
  return words.find((each) => each === word) ?? null;
}

/**
 * Writes the body of such a part. Throws where a value cannot be a field: whoever takes one from a client has asked
 * `isFieldText` and `isExtensionName`.
 */
export function writeDispositionNotification(notification: DispositionNotification): string {
  const { actionMode, sendingMode, type } = notification.disposition;
  const sent = sendingMode.replace('mdn', 'MDN');
  const fields: readonly (readonly [name: string, value: string | null])[] = [
    ['Reporting-UA', notification.reportingUA],
    ['MDN-Gateway', notification.mdnGateway],
    ['Original-Recipient', notification.originalRecipient],
    ['Final-Recipient', notification.finalRecipient],
    ['Original-Message-ID', notification.originalMessageId],
    ['Disposition', `${actionMode}/${sent}; ${type}`],
    ...(notification.error ?? []).map((text) => ['Error', text] as const),
    ...Object.entries(notification.extensionFields ?? {}),
  ];
  return fields
    .map(([name, value]) => {
      if (value === null) return '';
      if (!isFieldText(value))
        throw new Error(`Could not write the field ${JSON.stringify(name)}: its value is no line`);
      return `${name}: ${value}\r\n`;
    })
    .join('');
}
