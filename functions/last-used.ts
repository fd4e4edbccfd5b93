import { LRUCache } from 'lru-cache';

/**
 * Keeps so many of the last used, by a name. They have a size of one each, because a `max` sets room aside for all of them at once,
 * and a new process would wait for that.
 */
export function lastUsed<V extends object | number>(most: number): LRUCache<string, V> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}
