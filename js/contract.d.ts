import type { Atomicity, ErrorCode } from "./index.js";

/** One thing that the contract of a client promises. */
export interface ContractCase {
  /** Describes the promise. No two cases have the same name. */
  name: string;
  /**
   * Opens a client and tests it. Cases that are started at once run one after the other, because `Date.now` is replaced while
   * one runs.
   * @returns `"held"`; `"refused"` where the storage refuses what the case needs, as `refuses` says, or cannot list; `"skipped"` where
   *   this kind of client does not owe it, for example a copy of the value where the client manages expiry and keeps the value itself.
   * @throws An Error where the contract is broken. Its message says what was expected and what came.
   */
  run: () => Promise<"held" | "refused" | "skipped">;
}

/** A key, a value, a number of records or an expiry that a storage may refuse. */
export type Awkward =
  /** The key `""`. */
  | "empty key"
  /** The keys `"."` and `".."`. */
  | "dots only"
  /** A key of 10,000 characters. */
  | "long key"
  /** A key of 29 letters that take nine bytes each when they are percent-encoded. */
  | "long file name"
  | "NUL in a key"
  /** A key with half of a surrogate pair, which no UTF-8 can hold. */
  | "lone surrogate key"
  | "reserved cookie name"
  /** A value of 100,000 characters. */
  | "large value"
  /** 600 records and more. */
  | "many records"
  /** An expiry that is not a whole number of seconds. */
  | "sub-second expiry"
  | "life beyond 400 days"
  /** Pages of `page()` without bounds, which come in the order of the keys, unless the storage has an order of its own. */
  | "pages in order";

/** The time of the tests. */
export interface ContractClock {
  /** Milliseconds since the epoch. It is set to the present when a case begins, and `Date.now()` returns it. */
  now: number;
  /** Moves `now`. */
  advance(ms: number): void;
}

export interface ContractOptions<C = any> {
  /** The `kv` of `polystore-wasm`. */
  kv: (client: any, options?: any) => any;
  /** Returns a client over an empty storage, a class of it, or a promise of a client. Each case opens one. */
  open: () => C | PromiseLike<C>;
  /** Releases what `open` took. It is called after each case, also after one that failed. */
  close?: (client: C) => unknown;
  /**
   * Returns another client over the same storage, and releases the old one. Without it, `kv()` wraps the same client again, also
   * after its `close()` was called.
   */
  reopen?: (client: C) => C | PromiseLike<C>;
  /** The name of the client in messages. */
  name?: string;
  /**
   * Replaces `Date.now()` while a case runs, so that no test waits until something expires. A client whose storage looks at another
   * clock, as a server does, gives its own, whose `advance` moves that too.
   */
  clock?: ContractClock;
  /**
   * The requests that the storage refuses, each with the code of its error: `{ "long key": "ERR_CLIENT" }`. The contract tests that
   * it refuses them, and stores nothing of them.
   */
  refuses?: Partial<Record<Awkward, ErrorCode>>;
  /** What the storage accepts and then does otherwise, such as an expiry that it shortens. This is not tested. */
  differs?: readonly Awkward[];
  /** Returns the full keys of all that is in the storage, expired or not. With it, it is tested that what has expired is removed. */
  held?: (client: C) => readonly string[] | PromiseLike<readonly string[]>;
  /** Whether changes can be watched; true by default. */
  watches?: boolean;

  // What follows is told from the client itself, if left out.

  /** What `store.type` is; told from `TYPE`. */
  type?: string;
  /** Whether the client is given values and seconds, and sees to expiry; told from `RAW`, `HAS_EXPIRATION` and `EXPIRES`. */
  managesExpiry?: boolean;
  /**
   * Whether a client that manages expiry returns the very value that was set, and not a copy; told from `managesExpiry`. It is false
   * for one that makes JSON of values.
   */
  identity?: boolean;
  /** Whether the storage drops what expires, so that `prune()` returns 0; told from `managesExpiry`, and whether there is a `prune`. */
  dropsExpired?: boolean;
  /** Whether the client can list what it holds; told from its methods. */
  lists?: boolean;
  /** The expected value of `store.atomic`. */
  atomic?: Atomicity;
  /** Whether several keys can be changed as a whole, by `batch()` and `update()`. */
  isTransactional?: boolean;
  /** Whether the client makes the keys of `add()`, which are 24 letters or digits; told from its method `add`. */
  ownKeys?: boolean;
}

/**
 * Returns the tests that all storages of this package pass, for a client of your own: it needs no test runner, and takes any.
 *
 * ```js
 * for (const { name, run } of contract({ kv, open: () => new MyClient() })) test(name, run);
 * ```
 *
 * @throws `ERR_OPTIONS` where an option is missing, unknown, or names what no storage may refuse.
 */
export function contract<C = any>(options: ContractOptions<C>): ContractCase[];
