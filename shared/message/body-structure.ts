import { isMultipart, type Part } from './part.ts';

/** The flat views of a part tree (RFC 8621 §4.1.4). */
export type BodyParts = {
  readonly textBody: readonly Part[];
  readonly htmlBody: readonly Part[];
  readonly attachments: readonly Part[];
};

/**
 * Decomposes `bodyStructure`: `textBody` and `htmlBody` by the algorithm of RFC 8621 §4.1.4; `attachments` by its definition
 * there, which the algorithm meets but for some odd multipart/alternative.
 */
export function bodyParts(bodyStructure: Part): BodyParts {
  const textBody: Part[] = [];
  const htmlBody: Part[] = [];
  decompose([bodyStructure], 'mixed', false, textBody, htmlBody);
  const inText = new Set(textBody);
  const inHtml = new Set(htmlBody);
  const isAttachment = (part: Part): boolean => {
    if (isInlineMediaType(part.type)) return !inText.has(part) || !inHtml.has(part);
    return !inText.has(part) && !inHtml.has(part);
  };
  return { textBody, htmlBody, attachments: leaves(bodyStructure).filter(isAttachment) };
}

/** The parts that are no multipart, in the order of the message. */
export function leaves(part: Part): Part[] {
  return isMultipart(part) ? part.subParts.flatMap(leaves) : [part];
}

/** `parseStructure` of RFC 8621 §4.1.4. A list is null within an alternative that does not feed it. */
function decompose(
  parts: readonly Part[],
  multipartType: string,
  inAlternative: boolean,
  textList: Part[] | null,
  htmlList: Part[] | null,
): void {
  let textBody = textList;
  let htmlBody = htmlList;
  const textLength = textBody ? textBody.length : -1;
  const htmlLength = htmlBody ? htmlBody.length : -1;

  for (const [index, part] of parts.entries()) {
    if (isMultipart(part)) {
      const subtype = part.type.slice('multipart/'.length);
      decompose(part.subParts, subtype, inAlternative || subtype === 'alternative', textBody, htmlBody);
      continue;
    }
    if (!isInlinePart(part, index, multipartType)) continue;
    if (multipartType === 'alternative') {
      if (part.type === 'text/plain') textBody?.push(part);
      if (part.type === 'text/html') htmlBody?.push(part);
    } else {
      if (inAlternative && part.type === 'text/plain') htmlBody = null;
      if (inAlternative && part.type === 'text/html') textBody = null;
      textBody?.push(part);
      htmlBody?.push(part);
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
