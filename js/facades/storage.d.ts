import type { Store } from "../index.js";

/** The asynchronous form of localStorage, with the methods of AsyncStorage 3 and those that state libraries call. */
export interface AsyncStorage {
  /** @returns The text, or `null` if there is none. */
  getItem(key: string): Promise<string | null>;
  /** The text has the default expiry of the store. */
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
  getMany(keys: string[]): Promise<{ [key: string]: string | null }>;
  setMany(entries: { [key: string]: string }): Promise<void>;
  removeMany(keys: string[]): Promise<void>;
  getAllKeys(): Promise<string[]>;
  entries(): Promise<[key: string, value: string][]>;
  /** Deletes everything that the store holds. */
  clear(): Promise<void>;
}

/**
 * Makes the storage of zustand, jotai, redux-persist and TanStack Query, and of any other library that takes an AsyncStorage.
 *
 * ```js
 * persist(() => ({ bears: 0 }), { name: "bears", storage: createJSONStorage(() => asyncStorage(kv("indexeddb:app"))) });
 * ```
 *
 * @param store A store.
 */
export function asyncStorage(store: Store<any>): AsyncStorage;
