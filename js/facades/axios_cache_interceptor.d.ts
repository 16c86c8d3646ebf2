import type { Store } from "../index.js";

/** What `buildStorage()` of axios-cache-interceptor takes. */
export interface CacheStorage {
  find(key: string): Promise<any>;
  /** The answer lives as long as the interceptor can use it; if it can be revalidated, it has the default expiry of the store. */
  set(key: string, value: any): Promise<void>;
  remove(key: string): Promise<void>;
  /** Deletes everything that the store holds. */
  clear(): Promise<void>;
}

/**
 * Makes the argument of `buildStorage()` of axios-cache-interceptor.
 *
 * ```js
 * setupCache(axios, { storage: buildStorage(cacheStorage(kv("indexeddb:cache").expires("1 day"))) });
 * ```
 *
 * @param store A store. The answers must be texts or JSON: JSON cannot hold an ArrayBuffer.
 */
export function cacheStorage(store: Store<any>): CacheStorage;
