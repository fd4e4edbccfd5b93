import { isMultipart, type Part } from './part.ts';

/** The flat views of a part tree (RFC 8621 §4.1.4). */
export type BodyParts = {
  readonly textBody: readonly Part[];
  readonly htmlBody: readonly Part[];
  readonly attachments: readonly Part[];
};

/**
 * Decomposes `bodyStructure` by the algorithm of RFC 8621 §4.1.4, with one addition: a part of an alternative that finds
 * both lists closed, which that algorithm loses, is an attachment, as the definition of `attachments` has it.
 */
export function bodyParts(bodyStructure: Part): BodyParts {
  const textBody: Part[] = [];
  const htmlBody: Part[] = [];
  const attachments: Part[] = [];
  decompose([bodyStructure], 'mixed', false, { textBody, htmlBody, attachments });
  return { textBody, htmlBody, attachments };
}

/** Null for a list that the alternative at hand does not feed. */
type Lists = { readonly textBody: Part[] | null; readonly htmlBody: Part[] | null; readonly attachments: Part[] };

/** `parseStructure` of RFC 8621 §4.1.4. */
function decompose(parts: readonly Part[], multipartType: string, inAlternative: boolean, lists: Lists): void {
  let { textBody, htmlBody } = lists;
  const { attachments } = lists;
  const textLength = textBody ? textBody.length : -1;
  const htmlLength = htmlBody ? htmlBody.length : -1;

  for (const [index, part] of parts.entries()) {
    if (isMultipart(part)) {
      const subtype = part.type.slice('multipart/'.length);
      const isInAlternative = inAlternative || subtype === 'alternative';
      decompose(part.subParts, subtype, isInAlternative, { textBody, htmlBody, attachments });
    } else if (!isInlinePart(part, index, multipartType)) {
      attachments.push(part);
    } else if (multipartType === 'alternative') {
      if (part.type === 'text/plain') (textBody ?? attachments).push(part);
      else if (part.type === 'text/html') (htmlBody ?? attachments).push(part);
      else attachments.push(part);
    } else {
      if (inAlternative && part.type === 'text/plain') htmlBody = null;
      if (inAlternative && part.type === 'text/html') textBody = null;
      textBody?.push(part);
      htmlBody?.push(part);
      const isInBoth = textBody !== null && htmlBody !== null;
      const isInNone = textBody === null && htmlBody === null;
      if (isInNone || (!isInBoth && isInlineMediaType(part.type))) attachments.push(part);
    }
  }

  if (multipartType === 'alternative' && textBody && htmlBody) {
    const isHtmlOnly = textLength === textBody.length && htmlLength !== htmlBody.length;
    const isTextOnly = htmlLength === htmlBody.length && textLength !== textBody.length;
    if (isHtmlOnly) textBody.push(...htmlBody.slice(htmlLength));
    if (isTextOnly) htmlBody.push(...textBody.slice(textLength));
  }
}

/** Whether a part belongs to the body rather than to the attachments. */
function isInlinePart(part: Part, index: number, multipartType: string): boolean {
  const isBodyType = part.type === 'text/plain' || part.type === 'text/html' || isInlineMediaType(part.type);
  // Of a multipart/related only the first part is shown. A text with a file name is an attachment, unless it comes first.
  const isBodyPlace =
    index === 0 || (multipartType !== 'related' && (isInlineMediaType(part.type) || part.name === null));
  return part.disposition !== 'attachment' && isBodyType && isBodyPlace;
}

function isInlineMediaType(type: string): boolean {
  return type.startsWith('image/') || type.startsWith('audio/') || type.startsWith('video/');
}

/** Parts that clients process by themselves: signatures, and the version of PGP/MIME (RFC 3156). */
const processedTypes = new Set([
  'application/pgp-signature',
  'application/pgp-encrypted',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
]);

/**
 * The `hasAttachment` property (RFC 8621 §4.1.4): whether `attachments` holds a part without `Content-Disposition: inline`.
 * As the RFC permits, these are passed over unless their disposition is `attachment`:
 *
 * - signatures and the version part of PGP/MIME, which clients process by themselves (with any disposition);
 * - other versions of the body in a multipart/alternative, such as text/calendar or text/x-amp-html;
 * - images with a Content-Id beside the HTML of a multipart/related: they are embedded there.
 */
export function hasAttachment(bodyStructure: Part): boolean {
  const passedOver = new Set(autoProcessed(bodyStructure));
  return bodyParts(bodyStructure).attachments.some((part) => part.disposition !== 'inline' && !passedOver.has(part));
}

function autoProcessed(part: Part): Part[] {
  const [first] = part.subParts;
  const hasHtml = first !== undefined && containsHtml(first);
  return part.subParts.flatMap((child) => {
    const isAlternative = part.type === 'multipart/alternative';
    const isEmbedded =
      part.type === 'multipart/related' && hasHtml && child.type.startsWith('image/') && child.cid !== null;
    const isProcessed = child.disposition !== 'attachment' && (isAlternative || isEmbedded);
    return processedTypes.has(child.type) || isProcessed ? [child, ...autoProcessed(child)] : autoProcessed(child);
  });
}

function containsHtml(part: Part): boolean {
  return part.type === 'text/html' || part.subParts.some(containsHtml);
}
