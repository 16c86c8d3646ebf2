import type { PolystoreError, Range, Store } from "../index.js";

/** A snapshot holds the present value. It is never changed: a new value comes in a new object. */
export interface Live<T> {
  /** The value, also while there is an error, if it was read before. Until it is read, it is `null`; entries are an empty array. */
  readonly value: T;
  /** True until the first read ends, and always on a server. */
  readonly loading: boolean;
  /** Why the value could not be read, or does not follow changes any more; otherwise `null`. */
  readonly error: PolystoreError | null;
}

/** A readable store, as those of `svelte/store`. */
export interface LiveReadable<T> {
  subscribe(run: (live: Live<T>) => void): () => void;
}

/**
 * Makes a readable store of the value at a key, which follows the changes of this page and of others, and the expiry. Those of the same key
 * share one watcher.
 *
 * ```js
 * const visits = useValue(store, "visits"); // then $visits.value, $visits.loading, $visits.error
 * ```
 *
 * @param store A store, or a sub-store, which may be made anew each time. `kv()` itself belongs outside of components.
 * @param key The key, without the prefix of the store.
 * @returns `value` is `null` if there is none.
 */
export function useValue<T = any>(store: Store<T>, key: string): LiveReadable<T | null>;

/**
 * Makes a readable store of the entries of a store or a range, in the order of their keys.
 *
 * @param store A store, or a sub-store, which may be made anew each time. `kv()` itself belongs outside of components.
 * @param range The part of the store; the whole store by default. With a `limit`, each change reads the range again.
 * @returns `value` is an array of keys with their values.
 */
export function useEntries<T = any>(store: Store<T>, range?: Range): LiveReadable<[key: string, value: T][]>;
