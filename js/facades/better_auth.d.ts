import type { Store } from "../index.js";

/** What better-auth 1.7 calls. All times to live are in **seconds**. */
export interface SecondaryStorage {
  get(key: string): Promise<any>;
  /** Without `ttl`, the value has the default expiry of the store. A `ttl` of 0 or less deletes the key. */
  set(key: string, value: string, ttl?: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Reads a value and deletes it, so that only one of several callers receives it. */
  getAndDelete(key: string): Promise<any>;
  /** Adds 1, atomically. `ttl` is for a counter that is made; it does not prolong the life of one that is there. */
  increment(key: string, ttl: number): Promise<number>;
}

/**
 * Makes the `secondaryStorage` of better-auth, for its sessions, verifications and rate limits.
 *
 * ```js
 * betterAuth({ secondaryStorage: secondaryStorage(kv(redis).prefix("auth:")) });
 * ```
 *
 * @param store A store.
 * @returns `getAndDelete` and `increment` reject with `ERR_UNSUPPORTED` if the storage cannot change atomically.
 */
export function secondaryStorage(store: Store<any>): SecondaryStorage;
