import type { ComputedRef, MaybeRefOrGetter } from "vue";
import type { PolystoreError, Range, Store } from "../index.js";

/** The refs hold the present value. */
export interface Live<T> {
  /** The value, also while there is an error, if it was read before. Until it is read, it is `null`; entries are an empty array. */
  readonly value: ComputedRef<T>;
  /** True until the first read ends, and always on a server. */
  readonly loading: ComputedRef<boolean>;
  /** Why the value could not be read, or does not follow changes any more; otherwise `null`. */
  readonly error: ComputedRef<PolystoreError | null>;
}

/**
 * Follows the value at a key: the changes of this page and of others, and the expiry. Components that show the same key share one watcher.
 *
 * ```js
 * const { value, loading, error } = useValue(store, "visits");
 * ```
 *
 * @param store A store, or a sub-store, which may be made anew each time; also a ref or a getter. `kv()` itself belongs outside of components.
 * @param key The key, without the prefix of the store; also a ref or a getter.
 * @returns `value` is `null` if there is none.
 */
export function useValue<T = any>(store: MaybeRefOrGetter<Store<T>>, key: MaybeRefOrGetter<string>): Live<T | null>;

/**
 * Follows the entries of a store or a range, in the order of their keys.
 *
 * @param store A store, or a sub-store, which may be made anew each time; also a ref or a getter. `kv()` itself belongs outside of components.
 * @param range The part of the store; the whole store by default; also a ref or a getter. With a `limit`, each change reads the range again.
 * @returns `value` is an array of keys with their values.
 */
export function useEntries<T = any>(
  store: MaybeRefOrGetter<Store<T>>,
  range?: MaybeRefOrGetter<Range | undefined>,
): Live<[key: string, value: T][]>;
