import type { StoredRecord } from "../support/record.js";

/** What may be a promise, and is then awaited. */
export type Eventually<T> = T | PromiseLike<T>;

/** A page of a listing: full keys, and what was found at each. What is no record is passed over. */
export interface Page {
  readonly ids: string[];
  readonly found: unknown[];
}

/** What a listing is for: all keys, all values or all entries at once, or entries one by one. */
export type Wanted = "keys" | "values" | "entries" | "stream";

/** A record that was read, and is to be removed. */
export interface Evicted {
  readonly id: string;
  readonly expires: number | null;
  /** The record as `pages` found it, if it was listed. */
  readonly record?: StoredRecord;
}

/**
 * The I/O of one storage. A method that returns no promise is answered at once, so a synchronous storage stays
 * synchronous up to the promise that the user gets. `id` is the full key, with every prefix.
 */
export interface Client {
  /** What `store.type` says. */
  readonly type: string;
  /** What the client is and can do; the core's `Trait` says what each means. */
  readonly can: ("manages_expiry" | "has" | "add" | "list" | "clear" | "prune")[];
  /**
   * Who makes the copy that keeps the stored value apart from the user's:
   * - "identity": nobody. Values go in and come out as they are, unchecked.
   * - "write": copied when written; a read makes a new value each time.
   * - "both": copied when written and when read, for a read gives the stored object itself.
   */
  readonly copies: "identity" | "write" | "both";

  /** What is stored at a key. */
  read(id: string): Eventually<unknown>;
  /** `expires` is in milliseconds since the epoch; in seconds from now if the client manages expiry. */
  write(id: string, value: any, expires: number | null): unknown;
  erase(id: string): unknown;
  /**
   * Erases each of these records if it still has the expiry it was read with, in one step, and resolves with how many
   * those were. Without it, `erase` serves.
   */
  evict?(evicted: Evicted[]): Eventually<number>;
  /** All records that have the prefix, in pages of any length: what is on one page is in memory at one time. */
  pages?(prefix: string, wanted: Wanted): Iterator<Page> | AsyncIterator<Page>;
  has?(id: string): Eventually<boolean>;
  /** Resolves with the key that the client chose, with or without the prefix. */
  add?(prefix: string, value: any, expires: number | null): Eventually<string>;
  clear?(prefix: string): unknown;
  prune?(prefix: string): Eventually<number | void>;
  /** A close() begins, which waits for the calls under way: those that would take for ever are to fail. */
  closing?(): void;
  close?(): unknown;
  /**
   * Called when the store's timeout has passed: the store waits no longer for the promise `reply`, which the client returned.
   * Other calls must not wait for it either, except to keep the order on one key.
   */
  giveUp?(reply: unknown): void;
}
