import { LRUCache } from 'lru-cache';

/**
 * Decoded blocks of a whole process, bounded by bytes. Blocks are immutable, so an entry never grows stale; it is found
 * by account *and* block key, so that no account can see another's.
 */
export type BlockCache = LRUCache<string, { readonly value: unknown; readonly bytes: number }>;

/** `maxBytes`: estimated bytes of memory, not of storage. */
export function createBlockCache({ maxBytes }: { maxBytes: number }): BlockCache {
  return new LRUCache({ maxSize: maxBytes, sizeCalculation: (entry) => entry.bytes });
}
