import type { StoredRecord } from "../support/record.js";

/** What may be a promise, and is then awaited. */
export type Eventually<T> = T | PromiseLike<T>;

/** When a write is acknowledged: as soon as others can read it, or only when it outlasts a power failure. */
export type Durability = "relaxed" | "strict";

/** What a client is and can do. It never changes. */
export interface Traits {
  /** What `store.type` says. */
  readonly type: string;
  /** What the client can do; the core's `Trait` says what each means. */
  readonly can: ("manages_expiry" | "add" | "list" | "sweeps_all" | "sweeps_expired")[];
  /**
   * Who makes the copy that keeps the stored value apart from the user's:
   * - "identity": nobody. Values go in and come out as they are, unchecked.
   * - "write": copied when written; a read makes a new value each time.
   * - "both": copied when written and when read, because a read returns the stored object itself.
   */
  readonly copies: "identity" | "write" | "both";
}

/**
 * The keys that begin with `prefix` and lie within the bounds, in the order of their code points. All of them are full keys.
 * `gte` takes precedence over `gt`, and `lte` over `lt`.
 */
export interface Range {
  readonly prefix: string;
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  /** Whether the last key comes first. */
  readonly reverse?: boolean;
  /** How many records are listed at most; those that have expired count too. */
  readonly limit?: number;
}

/** A page of a listing: full keys, and what was found at each. What is not a record is passed over. */
export interface Page {
  readonly ids: string[];
  readonly found: unknown[];
}

/** What a listing is for: all keys, all values or all entries at once, or entries one by one. */
export type Wanted = "keys" | "values" | "entries" | "stream";

/** A key, and the record that the client returned for it; null where it returned none. */
export interface Expectation {
  readonly id: string;
  readonly found: StoredRecord | null;
}

/** A record that is put at a key. */
export interface Put {
  readonly id: string;
  readonly value: any;
  readonly expires: number | null;
}

/** A record that is put, or the removal of what is at a key. */
export type Change = Put | { readonly id: string };

/** Changes that are made as a whole, if everything is still as expected, or not at all. */
export interface Commit {
  readonly expected: readonly Expectation[];
  readonly changes: readonly Change[];
}

/** What became of a commit: true if it was made, false if something was not as expected, or why it failed. */
export type Outcome = boolean | { readonly error: unknown };

/**
 * The I/O of one storage, and nothing else: the rules are above it. A method that returns no promise is answered at once, so
 * a synchronous storage stays synchronous up to the promise that the user gets. `id` is the full key, with every prefix. Every
 * `expires` is in milliseconds since the epoch, or null for a record that does not expire.
 */
export interface Client {
  readonly traits: Traits;

  /**
   * Returns the record at a key. What is not a record, for example undefined, counts as absent. With `isPresenceOnly`, any
   * record with the right expiry serves: its value is not looked at.
   */
  read(id: string, isPresenceOnly?: boolean): Eventually<unknown>;
  /** Throws ERR_KEY where the storage cannot hold a key. It is called before each call on a key. */
  checkKey?(id: string): void;

  /**
   * Makes commits, and resolves with the outcome of each; rejects where all of them fail for one reason. The keys of several
   * commits differ. `now` is the time of the call, in milliseconds since the epoch: a storage that takes durations counts from
   * there.
   */
  commit?(commits: readonly Commit[], now: number): Eventually<readonly Outcome[]>;
  /**
   * In place of `commit`, where nothing can come between a read and a change because the storage answers at once, or where
   * the storage cannot compare and change in one step.
   */
  put?(id: string, value: any, expires: number | null, now: number): unknown;
  remove?(id: string): unknown;

  /** Lists the records in a range, in pages of any length: what is on one page is in memory at one time. */
  scan?(range: Range, wanted: Wanted): Iterator<Page> | AsyncIterator<Page>;
  /**
   * Removes the records in a range that expire at `until` or before; all of them if that is null. Resolves with how many
   * those were.
   */
  sweep?(range: Range, until: number | null): Eventually<number | void>;
  /** Puts a record at a key of the client's choice, which it resolves with, with or without the prefix. */
  add?(prefix: string, value: any, expires: number | null, now: number): Eventually<string>;

  /**
   * Called when the store's timeout has passed: the store waits no longer for the promise `reply`, which the client returned.
   * Other calls must not wait for it either, except to keep the order on one key.
   */
  onTimeout?(reply: unknown): void;
  /** Called when close() starts. close() waits for the calls under way, so calls that may never settle must now be made to fail. */
  onClosing?(): void;
  close?(): unknown;
}
