import type { Store } from "../index.js";

/** The bytes of a key: an ArrayBuffer, or a view of one. */
type Bytes = ArrayBufferLike | { buffer: ArrayBufferLike; byteOffset: number; byteLength: number };

/** A key of IndexedDB. */
export type Key = string | number | Date | Bytes | Key[];

/** The functions of idb-keyval. The last argument of each may be another store. */
export interface IdbKeyval {
  /** Makes a store for the last argument of the other functions. Each pair of names has its own data. */
  createStore(database: string, name: string): Store<any>;
  get<T = any>(key: Key, store?: Store<any>): Promise<T | undefined>;
  getMany<T = any>(keys: Key[], store?: Store<any>): Promise<(T | undefined)[]>;
  /** `null` and `undefined` delete the key. */
  set(key: Key, value: any, store?: Store<any>): Promise<void>;
  /**
   * Writes all values or none.
   * @throws `ERR_UNSUPPORTED` if the storage cannot change several keys as a whole.
   */
  setMany(entries: [key: Key, value: any][], store?: Store<any>): Promise<void>;
  /**
   * Changes a value depending on what it is, atomically.
   * @param updater Receives the value, or `undefined` if there is none. It returns the new value, or `null` to delete the key.
   * @returns The new value.
   * @throws `ERR_VALUE` if `updater` returns `undefined` or a promise; `ERR_UNSUPPORTED` if the storage cannot change atomically.
   */
  update<T = any>(key: Key, updater: (value: T | undefined) => T | null, store?: Store<any>): Promise<T | undefined>;
  del(key: Key, store?: Store<any>): Promise<void>;
  delMany(keys: Key[], store?: Store<any>): Promise<void>;
  clear(store?: Store<any>): Promise<void>;
  /** In the order of IndexedDB, as the next two. A view of bytes comes as an ArrayBuffer. */
  keys<K extends Key>(store?: Store<any>): Promise<K[]>;
  values<T = any>(store?: Store<any>): Promise<T[]>;
  entries<K extends Key, T = any>(store?: Store<any>): Promise<[K, T][]>;
}

/**
 * Makes the functions of idb-keyval.
 *
 * ```js
 * export const { get, set, update, del, keys } = idbKeyval(kv("opfs:app"));
 * ```
 *
 * @param store A store. The functions keep their data under the prefix `keyval-store/keyval/`, those of `createStore()` under its names.
 */
export function idbKeyval(store: Store<any>): IdbKeyval;
