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

/**
 * Shows the value at a key, and renders again when this page or another one changes it, or when its time is over. Components that show
 * the same key share one watcher.
 *
 * ```js
 * const { value, loading, error } = useValue(store, "visits");
 * ```
 *
 * @param store A store, or a sub-store, which may be made anew each time. `kv()` itself belongs outside of components.
 * @param key The key, without the prefix of the store.
 * @returns `value` is `null` if there is none.
 */
export function useValue<T = any>(store: Store<T>, key: string): Live<T | null>;

/**
 * Shows the entries of a store or a range, in the order of their keys, and renders again when one of them changes.
 *
 * @param store A store, or a sub-store, which may be made anew each time. `kv()` itself belongs outside of components.
 * @param range The part of the store; the whole store by default. With a `limit`, each change reads the range again.
 * @returns `value` is an array of keys with their values.
 */
export function useEntries<T = any>(store: Store<T>, range?: Range): Live<[key: string, value: T][]>;
