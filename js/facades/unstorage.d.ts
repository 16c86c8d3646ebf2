import type { Store } from "../index.js";

/** What unstorage 1 and 2 call. The time to live is in **seconds**. */
export interface UnstorageDriver {
  name: string;
  getInstance(): Store<any>;
  hasItem(key: string): Promise<boolean>;
  getItem(key: string): Promise<any>;
  /** Without `ttl`, the value has the default expiry of the store. */
  setItem(key: string, value: string, options?: { ttl?: number }): Promise<void>;
  removeItem(key: string): Promise<void>;
  /** `ttl` is missing if the value does not expire. */
  getMeta(key: string): Promise<{ ttl?: number } | null>;
  getKeys(base?: string): Promise<string[]>;
  clear(base?: string): Promise<void>;
}

/**
 * Makes a driver of unstorage, version 1 or 2. The store holds the texts that unstorage makes of the values.
 *
 * ```js
 * const storage = createStorage({ driver: unstorageDriver(kv("file:///srv/data.kv")) });
 * ```
 *
 * @param store A store. `dispose()` and `unmount()` of unstorage do not close it.
 */
export function unstorageDriver(store: Store<any>): UnstorageDriver;
