import {
  convenienceProperties,
  type HeaderProperty,
  isHeaderProperty,
  parseHeaderProperty,
} from '../../message/header-form.ts';
import type { BodyProperties } from './body-part.ts';
import type { GetArguments } from './get.ts';

/** What has to be read of each message for the asked properties; pure. */
export type Plan = {
  readonly headers: 'none' | 'all' | readonly string[];
  /** The asked properties that are computed from header fields, by their names. */
  readonly headerProperties: ReadonlyMap<string, HeaderProperty>;
  /** The part tree, whatever the catalog knows. */
  readonly structure: boolean;
  /** `hasAttachment` is asked: the part tree is needed of those Emails whose answer is not remembered. */
  readonly hasAttachment: boolean;
  readonly preview: boolean;
  /** Header fields of the body parts. */
  readonly partHeaders: boolean;
  /** The asked properties that show the sizes of parts. */
  readonly sized: SizedLists;
  /** Which text parts `bodyValues` holds, and how many octets of each; null: none asked. */
  readonly bodyValues: BodyValueWishes | null;
};

export type BodyValueWishes = {
  readonly text: boolean;
  readonly html: boolean;
  readonly all: boolean;
  /** Octets of UTF-8; 0 = no limit. */
  readonly maxBytes: number;
};

const structural = ['bodyStructure', 'textBody', 'htmlBody', 'attachments'] as const;
export type SizedLists = ReadonlySet<(typeof structural)[number]>;

/** The plan for a list of properties that have been checked, and the arguments of Email/get (RFC 8621 §4.2). */
export function planOf(properties: readonly string[], args: GetArguments, bodyProperties: BodyProperties): Plan {
  const headerProperties = new Map<string, HeaderProperty>();
  for (const name of properties) {
    const property = headerPropertyOf(name);
    if (property !== undefined) headerProperties.set(name, property);
  }
  const fields = new Set([...headerProperties.values()].map(({ field }) => field));
  const wishes: BodyValueWishes = {
    text: args.fetchTextBodyValues,
    html: args.fetchHTMLBodyValues,
    all: args.fetchAllBodyValues,
    maxBytes: args.maxBodyValueBytes,
  };
  const wantsValues = properties.includes('bodyValues') && (wishes.text || wishes.html || wishes.all);
  const shown = structural.filter((name) => properties.includes(name));
  const showsParts = shown.length > 0;
  return {
    headers: properties.includes('headers') ? 'all' : fields.size === 0 ? 'none' : [...fields],
    headerProperties,
    structure: showsParts || wantsValues,
    hasAttachment: properties.includes('hasAttachment'),
    preview: properties.includes('preview'),
    partHeaders: showsParts && bodyProperties.needsHeaders,
    sized: new Set(bodyProperties.names.includes('size') ? shown : []),
    bodyValues: wantsValues ? wishes : null,
  };
}

/** The header property that a property of an Email stands for, if it is one (§4.1.3). */
function headerPropertyOf(name: string): HeaderProperty | undefined {
  const convenience = convenienceProperties.get(name);
  if (convenience !== undefined || !isHeaderProperty(name)) return convenience;
  const parsed = parseHeaderProperty(name);
  return parsed.ok ? parsed.value : undefined;
}
