import type { StoredRecord } from "../support/record.js";

/** A value, or a promise of it, which is then awaited. */
export type Eventually<T> = T | PromiseLike<T>;

/** When a write is acknowledged: as soon as others can read it, or only when it outlasts a power failure. */
export type Durability = "relaxed" | "strict";

/**
 * Whom a commit with expectations keeps out: whoever of them changes the same key does so before or after, never in between.
 * - "storage": every program that writes to the storage.
 * - "origin": every page, worker or process that writes through this library.
 * - "process": this page or process only.
 * - "none": nobody, because the storage cannot compare and change in one step.
 */
export type Atomicity = "storage" | "origin" | "process" | "none";

/**
 * Whose changes a watcher hears:
 * - "storage": those of every program that writes to the storage.
 * - "origin": those of every page, worker or process that writes through this library.
 * - "process": those that are made through the same client.
 */
export type Reach = Exclude<Atomicity, "none">;

/** What a client tells of the changes of others. It may tell of the connection's own changes, too. Every `id` is a full key. */
export interface WatchListener {
  /** A record may have changed. `hint` is one of support/hint.js; `expires` is that of a record that was put, if it is known. */
  changed(id: string, hint: number, expires?: number | null): void;
  /** All records with a prefix were removed. */
  cleared(prefix: string): void;
  /** Any records may have changed: they have to be read again and compared. */
  compare(): void;
  /** Changes may have been missed, for example while the connection was lost. It is called when later changes are heard again. */
  gap(): void;
}

/** A client that tells of changes until it is told to stop. */
export interface Watch {
  readonly reach: Reach;
  /** True if the client also tells of records that did not change. The values are then compared. */
  readonly compares?: boolean;
  /** Stops telling. */
  close(): void;
}

/** The constant properties of a client. */
export interface Traits {
  /** The value of `store.type`. */
  readonly type: string;
  /** The abilities of the client; `Trait` in the core documents each. */
  readonly can: ("manages_expiry" | "add" | "list" | "sweeps_all" | "sweeps_expired")[];
  /**
   * When a value is copied, so that the stored value and the user's are not the same object:
   * - "identity": never. Values are stored and returned as they are, unchecked.
   * - "write": on writing only, because each read makes a new value.
   * - "both": on writing and on reading, because a read returns the stored object itself.
   */
  readonly copies: "identity" | "write" | "both";
  /** Whom a commit with expectations keeps out. */
  readonly atomic: Atomicity;
  /** True if one commit may change several keys: all of them, or none. */
  readonly isTransactional: boolean;
  /**
   * True if a listing can begin at a `place` in the storage's own order. page() then uses that if it is given neither bounds nor
   * `reverse`. Otherwise page() lists in the order of the keys, which is fast only if that is the order of the storage.
   */
  readonly hasPlaces?: boolean;
}

/** A place in the storage's own order. */
export interface Place {
  /** A text of the client for the place where the listing begins: null for the first record. The client then sets it to the place
   *  behind the last record that it listed, or null if there are no more. */
  after: string | null;
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
  /** True if the last key comes first. */
  readonly reverse?: boolean;
  /** The maximum number of listed records, including expired ones. */
  readonly limit?: number;
  /** The place where the listing begins, for a client that `hasPlaces`. There are no bounds then, and only records are listed. */
  readonly place?: Place;
}

/** A page of a listing: full keys, and what was found at each of them. Anything that is not a record is ignored. */
export interface Page {
  readonly ids: string[];
  readonly found: unknown[];
}

/** The purpose of a listing: all keys, all values or all entries at once, or entries one by one. */
export type Wanted = "keys" | "values" | "entries" | "stream";

/** A key with the record that the client returned for it, or null if it returned none. */
export interface Expectation {
  readonly id: string;
  readonly found: StoredRecord | null;
  /** The client's own reply to the read if that was not a record, for a client that compares what other code has stored. */
  readonly other?: any;
}

/** A record that is put at a key. */
export interface Put {
  readonly id: string;
  readonly value: any;
  readonly expires: number | null;
}

/** A record to put, or the removal of the record at a key. */
export type Change = Put | { readonly id: string };

/** Changes that are all made if every expectation still holds; otherwise none is made. */
export interface Commit {
  readonly expected: readonly Expectation[];
  readonly changes: readonly Change[];
}

/** The result of a commit: true if it was made, false if an expectation did not hold, or the error with which it failed. */
export type Outcome = boolean | { readonly error: unknown };

/**
 * The I/O of one storage, and nothing else: the rules are in the layers above. If a method returns a value instead of a promise,
 * the operation goes on synchronously; only the user's own promise is asynchronous. `id` is the full key, with every prefix.
 * Every `expires` is in milliseconds since the epoch, or null for a record that does not expire.
 */
export interface Client {
  readonly traits: Traits;

  /**
   * Returns the record at a key. Anything that is not a record, for example undefined, counts as absent. `needs` tells what of it
   * is used:
   * - undefined: the value, and the expiry unless the client manages expiry;
   * - "presence": the same except that the value may be any;
   * - "record": the value and the expiry in any case. A client that does not know the expiry throws ERR_UNSUPPORTED;
   * - "expiry": the same except that the value may be any.
   */
  read(id: string, needs?: "presence" | "record" | "expiry"): Eventually<unknown>;
  /** Throws ERR_KEY if the storage cannot hold a key. It is called before every read, put and removal of a key. */
  checkKey?(id: string): void;

  /**
   * Makes commits and resolves with the outcome of each; rejects if all of them fail for the same reason. No two commits of one
   * call have a key in common. `now` is the time of the call in milliseconds since the epoch, or 0 if nothing that is put
   * expires; a storage that takes durations computes them from it.
   */
  commit?(commits: readonly Commit[], now: number): Eventually<readonly Outcome[]>;
  /**
   * Reads some keys and makes the changes that `decide` chooses from what was found there, in one step of the storage. A client has it
   * if that takes less time than a read followed by a commit, or if its writers wait for each other in a queue: one that reads before it
   * waits would be late each time. `decide` may be called again if the storage starts again. Resolves when the changes are stored.
   */
  change?(ids: readonly string[], decide: (found: unknown[]) => readonly Change[]): Eventually<void>;
  /**
   * A client has `put` and `remove` in place of `commit` in two cases. Either it is synchronous, so that no other call can come
   * between a read and a change; or its storage cannot compare and change in one step.
   */
  put?(id: string, value: any, expires: number | null, now: number): unknown;
  remove?(id: string): unknown;

  /** Lists the records in a range, in pages of any length. One page at a time is in memory. */
  scan?(range: Range, wanted: Wanted): Iterator<Page> | AsyncIterator<Page>;
  /**
   * Removes the records in a range that expire at `until` or before, or all of them if `until` is null. Resolves with the number
   * of removed records.
   */
  sweep?(range: Range, until: number | null): Eventually<number | void>;
  /** Puts a record at a key that the client chooses. Resolves with that key, with or without the prefix. */
  add?(prefix: string, value: any, expires: number | null, now: number): Eventually<string>;

  /**
   * Begins to tell of the changes that others make. A change that is made after this has resolved is told. There is one call at a time.
   * A client without it has no others, or cannot hear them.
   * @throws {PolystoreError} ERR_UNSUPPORTED if not even the connection's own changes can be watched.
   */
  watch?(listener: WatchListener): Eventually<Watch>;
  /** Tells others of the connection's changes. It is called whether or not anybody watches. */
  readonly telling?: import("../support/telling.js").Telling;

  /**
   * Called when the timeout of the store has passed: the store no longer waits for `reply`, a promise that the client returned.
   * Other calls must not wait for it either, unless the order of calls on one key requires it.
   */
  onTimeout?(reply: unknown): void;
  /** Called when close() starts. close() waits for pending calls, so calls that may never settle must now be made to fail. */
  onClosing?(): void;
  close?(): unknown;
}
