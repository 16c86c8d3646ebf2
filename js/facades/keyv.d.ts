import type { Store } from "../index.js";

/** What Keyv 5 and 6 call. All times to live are in **milliseconds**. */
export interface KeyvStore {
  opts: { dialect: string };
  /** Keyv 5 sets it, and puts it in front of each key, followed by a colon. Keyv 6 adds the namespace to the keys without setting this. */
  namespace?: string | undefined;
  get(key: string): Promise<any>;
  getMany(keys: string[]): Promise<any[]>;
  /** Without `ttl`, the value has the default expiry of the store. */
  set(key: string, value: any, ttl?: number): Promise<boolean>;
  setMany(entries: { key: string; value: any; ttl?: number }[]): Promise<boolean[]>;
  /** @returns `true` if there was a value. */
  delete(key: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  /** Deletes what is in the namespace; without a namespace, everything that the store holds. */
  clear(): Promise<void>;
  iterator(namespace?: string): AsyncGenerator<[key: string, value: any], void>;
}

/**
 * Makes the `store` of a Keyv, version 5 or 6. Several Keyvs need one each.
 *
 * ```js
 * new Keyv({ store: keyvStore(kv("file:///srv/cache.json")), namespace: "pages", ttl: 60_000 });
 * ```
 *
 * @param store A store. `disconnect()` of the Keyv does not close it.
 */
export function keyvStore(store: Store<any>): KeyvStore;
