import { dataType } from '../../jmap/data-type.ts';
import { mailCapability } from '../capabilities.ts';
import { getSearchSnippets } from './get.ts';

/** Search snippets (RFC 8621 §5). */
export const searchSnippet = dataType('SearchSnippet', mailCapability, { get: getSearchSnippets });
