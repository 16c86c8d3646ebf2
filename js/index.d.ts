/**
 * A value that a store can hold: any value of JSON. `undefined` counts as `null`, and `null` means that there is no value. As in
 * JSON, a member that is `undefined` is left out, and an element of an array that is `undefined` becomes `null`. An object whose
 * `toJSON()` returns an object or an array is stored as that result.
 */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value | undefined };

/** `T` with `never` in place of everything that JSON cannot hold; a type such as `Date` therefore does not fit it. */
export type Storable<T> = T extends ((...args: any[]) => any) | symbol | bigint
  ? never
  : T extends object
    ? { [K in keyof T]: Storable<T[K]> }
    : T;

/** The arguments of a call that makes a store for values of type `T`. If JSON cannot hold `T`, the call does not compile. */
export type CallFor<T, Arguments extends unknown[]> = [T] extends [Storable<T>]
  ? Arguments
  : [error: "JSON cannot hold this type"];

/**
 * How long a value lives:
 * - a number of **seconds** (`0.5` is half a second; `0` or less deletes the value at once);
 * - a string such as `"10s"`, `"2 hours"`, `"1.5d"` or `"1,000 ms"`. The units are `ms` `msec` `millisecond`, `s` `sec` `second`,
 *   `m` `min` `minute`, `h` `hr` `hour`, `d` `day`, `w` `wk` `week`, `b` `month`, `y` `yr` `year`, and their plurals;
 *   a number without a unit is in seconds;
 * - `null`: the value never expires.
 */
export type Expires = number | string | null;

export interface Options {
  /** How long the value lives. Without this option, the default of the store applies; see {@link Store.expires}. */
  expires?: Expires;
  /** Replaces the prefix of the store in this call. In `kv()`, it is appended to the prefix of the store that is wrapped. */
  prefix?: string;
}

/** The options of the methods that change a value depending on what is there. */
export interface UpdateOptions extends Options {
  /** If it is true, `expires` or the store's default applies to a value that is already there, too. Otherwise, that keeps its expiry. */
  renew?: boolean;
}

/**
 * Whom an atomic change keeps out. Whoever of them changes the same key does so before or after the change, never in between:
 * - `"storage"`: every program that writes to the storage;
 * - `"origin"`: every page, worker or process that writes through this library;
 * - `"process"`: this page or process only;
 * - `"none"`: nobody. The atomic methods then reject with `ERR_UNSUPPORTED`.
 */
export type Atomicity = "storage" | "origin" | "process" | "none";

/** A value with its expiry and its version. */
export interface Entry<T = any> {
  /** The key, without the prefix of the store. */
  key: string;
  value: T;
  /** Milliseconds since the epoch, or `null` if the value does not expire. */
  expires: number | null;
  /** Identifies the value, but not its expiry. Equal values have the same version, so it comes back when the value does. */
  version: string;
}

/**
 * Whose changes a watcher hears:
 * - `"storage"`: those of every program that writes to the storage;
 * - `"origin"`: those of every page, worker or process that writes through this library;
 * - `"process"`: those that are made through the same client.
 */
export type Reach = "process" | "origin" | "storage";

/**
 * What has changed. A value was set, or was there when `initial` was asked for; was deleted; or its time is over. A `gap` says that changes
 * may have been missed, for example while a connection was lost: read again what you show. The changes after it are heard again.
 */
export type Change<T = any> =
  | { type: "set"; key: string; value: T }
  | { type: "del"; key: string }
  | { type: "expire"; key: string }
  | { type: "gap" };

export interface WatchOptions {
  /** An `AbortSignal` that ends the watcher. */
  signal?: {
    readonly aborted: boolean;
    addEventListener(type: "abort", listener: () => void): void;
    removeEventListener(type: "abort", listener: () => void): void;
  };
  /** If it is true, each value that is there comes first, as a `set`. */
  initial?: boolean;
  /** The least reach. If the storage gives less, `ready` and the iteration reject with `ERR_UNSUPPORTED`. */
  reach?: Reach;
}

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/**
 * The changes of one key, a range, or a whole store, as an async iterable. Leaving a `for await` loop ends it, and so does `await using`.
 * Iterations of one watcher share its changes: each change comes once.
 */
export interface Watcher<T = any> {
  /**
   * Resolves when every later change is heard.
   * @throws `ERR_KEY`; `ERR_OPTIONS`; `ERR_CLOSED`; `ERR_UNSUPPORTED` if the storage cannot tell of changes, or reaches less than the option
   *   `reach` requires; `ERR_CLIENT`.
   */
  readonly ready: Promise<void>;
  /** Whose changes are heard; `null` until `ready`. */
  readonly reach: Reach | null;
  /** Ends the watcher, and releases what it holds. A waiting iteration ends without an error. */
  close(): void;
  /** Rejects with `ERR_CLOSED` if the store was closed meanwhile; otherwise as `ready`. */
  [Symbol.asyncIterator](): AsyncIterator<Change<T>, undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The part of a store that a listing concerns. The bounds are keys of the store, in the order of their code points (which is that of
 * their UTF-8 bytes), the same on every storage. `gte` takes precedence over `gt`, and `lte` over `lt`.
 */
export interface Range {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
  /** If it is true, the last key comes first. */
  reverse?: boolean;
  /** The maximum number of records, not counting expired ones. */
  limit?: number;
}

/**
 * A change of a batch, or a condition: `check` with the version of an entry, or with `null` for no value. As by `set()`, a value that is
 * there gets the new expiry; with `renew: false` it keeps its own.
 */
export type Write<T = any> =
  | readonly ["set", key: string, value: T | null, options?: UpdateOptions]
  | readonly ["del", key: string]
  | readonly ["check", key: string, version: string | null];

export interface StoreOptions extends Options {
  /**
   * Whom atomic changes have to keep out at least. If the client keeps out fewer writers, `kv()` throws `ERR_UNSUPPORTED`, or the calls
   * reject with it if the client is not open yet.
   */
  atomic?: Atomicity;

  /**
   * The time between two prunes in the background, in **seconds** greater than 0 or as a string such as `"1 min"`. Without this option,
   * or with `null`, expired records are removed when they are read, and by `prune()`. The timer ends with `close()` and keeps no process alive.
   */
  prune?: number | string | null;

  /**
   * How long a call waits for an answer of the client: a number of **seconds** greater than 0, or a string such as `"5s"` or
   * `"500 ms"`. A call without an answer in this time rejects with `ERR_CLIENT`; a write may still take effect afterwards.
   * Without this option, or with `null`, a call waits until the client answers.
   *
   * The timeout holds for all stores made from this one. Opening the client has the same limit, and a listing may take as long for each
   * page. `close()` waits for pending calls without a limit of its own, and then applies the timeout to closing the client.
   */
  timeout?: number | string | null;

  /**
   * When a write to `opfs:…`, `indexeddb:…` or `file:///….kv` resolves. `"relaxed"`, the default, waits until a crash of the page
   * or the process cannot undo the write; a power failure may undo the last second. `"strict"` waits until a power failure
   * cannot undo it either. All stores over one client share one durability; other clients reject this option with `ERR_OPTIONS`.
   */
  durability?: "strict" | "relaxed";

  /** The attributes of the cookies of `kv("cookie")`. Stores with the same attributes share a client. No other client has this option. */
  cookie?: CookieOptions;
}

/** The attributes of a cookie, as browsers define them. */
export interface CookieOptions {
  /** Pages below this path see the cookies. The default is `"/"`, the whole site. */
  path?: string;
  /** A parent domain of the page whose hosts all see the cookies. Without it, only the host of the page does. */
  domain?: string;
  /** Controls whether the browser sends the cookies with requests from other sites; `"none"` requires `secure`. */
  sameSite?: "strict" | "lax" | "none";
  /** Sends the cookies over HTTPS only. */
  secure?: boolean;
  /** Keeps the cookies of a framed page apart for each embedding site; requires `secure`. */
  partitioned?: boolean;
}

/**
 * The `code` of an error of this package:
 *
 * | code | what happened |
 * |---|---|
 * | `ERR_CLIENT` | `kv()` cannot wrap its argument, or the client failed or did not answer in time; `cause` has the client's error |
 * | `ERR_CLOSED` | the store was closed |
 * | `ERR_CONFLICT` | other writers changed the value in each of 100 attempts; nothing was changed |
 * | `ERR_CORRUPT` | a file or a record cannot be read; it was left unchanged |
 * | `ERR_EXPIRES` | an `expires` that cannot be parsed |
 * | `ERR_KEY` | a key, prefix or bound that is not a string or a finite number, or that this storage cannot hold; a list of keys that is none |
 * | `ERR_OPTIONS` | an unknown option, an option with a wrong value, or an argument that is not of the form that the method takes |
 * | `ERR_QUOTA` | the storage is full; the stored data is unchanged |
 * | `ERR_UNSUPPORTED` | the storage or the custom client cannot do this: list its records, or make an atomic change |
 * | `ERR_VALUE` | a value that JSON cannot hold; the message has the path to the reason |
 * | `ERR_WASM` | WebAssembly cannot start, mostly because the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` |
 */
export type ErrorCode =
  | "ERR_CLIENT"
  | "ERR_CLOSED"
  | "ERR_CONFLICT"
  | "ERR_CORRUPT"
  | "ERR_EXPIRES"
  | "ERR_KEY"
  | "ERR_OPTIONS"
  | "ERR_QUOTA"
  | "ERR_UNSUPPORTED"
  | "ERR_VALUE"
  | "ERR_WASM";

/**
 * Every error that this package throws or rejects with. An error about a wrong argument is a `TypeError` as well.
 * `instanceof PolystoreError` holds for every such error, even between two copies of this package on one page.
 */
export class PolystoreError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly code: ErrorCode;
}

/** The record at a key, in a storage that has no expiry of its own. */
export interface StoredRecord<T = any> {
  /** Milliseconds since the epoch, or `null` if the record does not expire. */
  expires: number | null;
  value: T;
}

type Awaitable<T> = T | PromiseLike<T>;
type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/**
 * The common part of all custom clients. Every `key` and `prefix` is a full one, with all prefixes of the stores.
 *
 * Calls of a client may overlap: a store does not wait for one call before it makes the next, not even on the same key. An error that a
 * client throws becomes an `ERR_CLIENT` with that error as its `cause`; one whose name is `QuotaExceededError` becomes an `ERR_QUOTA`.
 */
interface CustomClient {
  /** The `type` of the stores over this client; `"UNKNOWN"` without it. */
  TYPE?: string;
  /** Awaited before the first operation. It is called once for all stores over this client, and again after a failure. */
  connect?(): Awaitable<unknown>;
  /** A promise to await before the first operation, in place of `connect`. */
  promise?: PromiseLike<unknown>;
  del?(key: string): Awaitable<unknown>;
  /** Removes every record whose key begins with this prefix; `""` means every record. */
  clear?(prefix: string): Awaitable<unknown>;
  close?(): Awaitable<unknown>;
}

/** A custom client that holds records; the store takes care of their expiry. Without `del`, `set(key, null)` deletes. */
export interface RecordClient extends CustomClient {
  RAW?: false;
  HAS_EXPIRATION?: false;
  EXPIRES?: false;
  get(key: string): Awaitable<StoredRecord | null | undefined>;
  set(key: string, record: StoredRecord | null): Awaitable<unknown>;
  /** Stores a record at a fresh key that begins with `prefix`. @returns The new key, with or without the prefix. */
  add?(prefix: string, record: StoredRecord): Awaitable<string>;
  /**
   * Replaces the record at a key in one step, if it is still `expected`. With this method, the store has all atomic methods for one key.
   * @param expected What `get` returned, which is not a record if other code put it there; `null` if there must be nothing.
   * @param record The new record, or `null` to remove it.
   * @returns `true` if the record was replaced; `false` if another one is there, and nothing was changed.
   */
  swap?(key: string, expected: StoredRecord | null, record: StoredRecord | null): Awaitable<boolean>;
  /** Listing, clearing and pruning need this method or `entries`. Records whose key does not begin with `prefix` are ignored. */
  iterate?(prefix: string): AnyIterable<[key: string, record: StoredRecord]>;
  /** The same, all records at once. */
  entries?(prefix: string): Awaitable<Iterable<[key: string, record: StoredRecord]>>;
}

interface ValueClientMethods extends CustomClient {
  get(key: string): Awaitable<any>;
  has?(key: string): Awaitable<boolean>;
  /** Listing and clearing need one of `iterate`, `entries` and `keys`. Records whose key does not begin with `prefix` are ignored. */
  iterate?(prefix: string): AnyIterable<[key: string, value: any]>;
  entries?(prefix: string): Awaitable<Iterable<[key: string, value: any]>>;
  keys?(prefix: string): Awaitable<Iterable<string>>;
  values?(prefix: string): Awaitable<Iterable<any>>;
  /** Removes the records that have expired. @returns The number of removed records, if the client knows it. */
  prune?(prefix: string): Awaitable<number | void>;
}

/**
 * A custom client that holds values as they are, by identity, and takes care of their expiry. It receives the expiry in
 * **seconds** from now, or `null` for never. Without `del`, `set(key, null, 0)` deletes.
 */
export interface ValueClient extends ValueClientMethods {
  RAW?: boolean;
  HAS_EXPIRATION?: boolean;
  set(key: string, value: any, expires: number | null): Awaitable<unknown>;
  /** Stores a value at a fresh key that begins with `prefix`. @returns The new key, with or without the prefix. */
  add?(prefix: string, value: any, expires: number | null): Awaitable<string>;
}

/** A custom client as polystore's were written until 2024: a {@link ValueClient} that receives the expiry in an object. */
export interface LegacyValueClient extends ValueClientMethods {
  EXPIRES: true;
  set(key: string, value: any, options: { expires: number | null }): Awaitable<unknown>;
  add?(prefix: string, value: any, options: { expires: number | null }): Awaitable<string>;
}

/** The part of localStorage, sessionStorage and similar objects that a store uses. */
export interface StorageClient {
  readonly length: number;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  key(index: number): string | null;
}

/** The part of a page's `indexedDB` that a store uses. */
export interface IndexedDbClient {
  open(name: string, version?: number): any;
  deleteDatabase(name: string): any;
}

/** A `URL` object with the URL of a file or of a server. */
export interface UrlClient {
  readonly href: string;
  readonly searchParams: object;
}

/** The part of a localForage instance that a store uses. */
export interface LocalForageClient {
  INDEXEDDB: string;
  ready(): Promise<unknown>;
  driver(): string;
  config(): any;
  defineDriver: unknown;
  dropInstance: unknown;
  getItem(key: string): Promise<any>;
  setItem(key: string, value: any): Promise<any>;
  removeItem(key: string): Promise<void>;
  iterate(iteratee: (value: any, key: string, index: number) => any): Promise<any>;
}

/** The part of a Cloudflare KV namespace that a store uses. A Worker finds its namespaces in its `env`. */
export interface CloudflareClient {
  get(...args: any[]): any;
  getWithMetadata(...args: any[]): any;
  put(...args: any[]): any;
  delete(...args: any[]): any;
  list(...args: any[]): any;
}

/** The part that a store uses of a client of the package `redis`, connected or not. It must be a client of one server, not a pool. */
export interface NodeRedisClient {
  isOpen: boolean;
  connect(): Promise<any>;
  select(...args: any[]): any;
  sendCommand(...args: any[]): any;
  on(event: string, listener: (...args: any[]) => any): any;
  off(event: string, listener: (...args: any[]) => any): any;
}

/** The part that a store uses of a cluster of the package `redis`, connected or not. */
export interface NodeRedisCluster {
  isOpen: boolean;
  masters: any[];
  connect(): Promise<any>;
  nodeClient(...args: any[]): any;
  sendCommand(...args: any[]): any;
  on(event: string, listener: (...args: any[]) => any): any;
  off(event: string, listener: (...args: any[]) => any): any;
}

/** The part that a store uses of a client of the package `ioredis`, for one server or for a cluster. */
export interface IoRedisClient {
  status: string;
  connect(...args: any[]): Promise<any>;
  call(...args: any[]): any;
  quit(...args: any[]): any;
  on(event: any, listener: (...args: any[]) => any): any;
  off(event: any, listener: (...args: any[]) => any): any;
  once(event: any, listener: (...args: any[]) => any): any;
}

/** The part of a Keyv, version 5 or 6, that a store uses. */
export interface KeyvClient {
  getRaw(...args: any[]): any;
  getManyRaw(...args: any[]): any;
  set(...args: any[]): any;
  delete(...args: any[]): any;
  deleteMany(...args: any[]): any;
}

/** The part of an LRUCache of the package `lru-cache` that a store uses. */
export interface LruCacheClient {
  get(...args: any[]): any;
  set(...args: any[]): any;
  delete(...args: any[]): any;
  peek(...args: any[]): any;
  getRemainingTTL(...args: any[]): any;
  dump(): any;
}

/** The part of a Level database or sublevel, or of any other `abstract-level`, that a store uses. */
export interface LevelClient {
  open(...args: any[]): any;
  close(...args: any[]): any;
  getMany(...args: any[]): any;
  put(...args: any[]): any;
  del(...args: any[]): any;
  batch(...args: any[]): any;
  iterator(...args: any[]): any;
}

/** The part that a store uses of an Etcd3 of the package `etcd3`, or of a namespace of one. */
export interface EtcdClient {
  getAll(): any;
  put(key: string): any;
  delete(): any;
  lease(ttl: number, options?: any): any;
  namespace(prefix: string): any;
}

/** The part that a store uses of a Client or a Pool of the package `pg`, or of a PGlite. The records are in its table `kv`. */
export interface PostgresClient {
  query(...args: any[]): any;
}

/** The part that a store uses of a database of node:sqlite, better-sqlite3 or bun:sqlite. The records are in its table `kv`. */
export interface SqliteClient {
  prepare(sql: string): any;
  exec(sql: string): any;
  close(): any;
}

// None of these names a type of the DOM: without the DOM types, such a name would be `any`, and so would be Client.
type PlainClient =
  | Map<any, any>
  | StorageClient
  | "cookie"
  | "cookies"
  | `indexeddb:${string}`
  | `opfs:${string}`
  | IndexedDbClient
  | LocalForageClient
  | UrlClient
  | `file:${string}`
  | CloudflareClient
  | `http://${string}`
  | `https://${string}`
  | NodeRedisClient
  | NodeRedisCluster
  | IoRedisClient
  | LevelClient
  | KeyvClient
  | LruCacheClient
  | PostgresClient
  | EtcdClient
  | SqliteClient
  | RecordClient
  | ValueClient
  | LegacyValueClient
  | Store<any>;

/** The argument of `kv()`: a client, a class whose instances are clients, or a promise of a client. */
export type Client =
  PlainClient | (new () => RecordClient | ValueClient | LegacyValueClient) | PromiseLike<PlainClient>;

/**
 * A key-value store over a client. Every method is bound, so `keys.map(store.del)` works.
 *
 * Every method that returns a promise rejects with a {@link PolystoreError} when it fails. Each method names its own errors, and any
 * method may reject with these:
 * - `ERR_CLOSED` after `close()`;
 * - `ERR_CLIENT` if the client fails, or does not answer within `timeout`;
 * - `ERR_QUOTA` if the storage is full;
 * - `ERR_CORRUPT` if the file that holds the store cannot be read.
 *
 * A failed write leaves the stored data unchanged, except after a timeout or a lost connection: then it may still take effect.
 *
 * A key is a string; a finite number is converted to one. `ERR_KEY` means that a key is neither, or that this storage cannot hold it.
 */
export interface Store<T = any> extends AsyncIterable<[key: string, value: T]> {
  /** The prefix of this store: in the client, all of its keys begin with it. */
  readonly PREFIX: string;
  /** The default expiry in **seconds**, or `null` if values do not expire by default. */
  readonly EXPIRES: number | null;
  /**
   * The kind of client: `"MEMORY"`, `"STORAGE"`, `"COOKIE"`, `"INDEXEDDB"`, …. It may change once the client is open: over a promise it is
   * `"PROMISE"` until then, and `"OPFS"` becomes `"INDEXEDDB"` if the browser has no private file system.
   */
  readonly type: string;
  /** Whom an atomic change keeps out; `null` until the client is open. */
  readonly atomic: Atomicity | null;

  /**
   * Reads a value.
   * @param key The key, without the prefix of the store.
   * @returns The value, or `null` if there is none or it has expired. It is a copy: changing it does not change the stored value.
   * @throws `ERR_KEY`; `ERR_CORRUPT` if the record cannot be read.
   */
  get<V extends T = T>(key: string): Promise<V | null>;

  /**
   * Writes a copy of a value. `null`, `undefined` or an expiry of 0 or less deletes the key; a call without a value is an error.
   * @param key The key, without the prefix of the store.
   * @param value The value: anything that JSON can hold.
   * @param options `expires` in **seconds** or as a string, and `prefix` in place of the prefix of the store.
   * @returns The key.
   * @throws `ERR_VALUE` if the value is missing or JSON cannot hold it; `ERR_EXPIRES`; `ERR_KEY`; `ERR_OPTIONS`. Then nothing is written.
   */
  set<V extends T = T>(key: string, value: V | null | undefined, options?: Options): Promise<string>;

  /**
   * Writes a copy of a value at a fresh key of 24 characters of `[A-Za-z0-9]`, cryptographically random. A custom client with a
   * method `add` chooses the key itself. `null`, `undefined` or an expiry of 0 or less resolves with a key and stores nothing.
   * @param value The value: anything that JSON can hold.
   * @param options As for `set`.
   * @returns The key, without the prefix of the store.
   * @throws `ERR_VALUE` if the value is missing or JSON cannot hold it; `ERR_EXPIRES`; `ERR_KEY`; `ERR_OPTIONS`. Then nothing is written.
   */
  add<V extends T = T>(value: V | null | undefined, options?: Options): Promise<string>;

  /**
   * Checks whether there is a value that has not expired.
   * @param key The key, without the prefix of the store.
   * @returns `true` if there is one.
   * @throws `ERR_KEY`; `ERR_CORRUPT` if the record cannot be read.
   */
  has(key: string): Promise<boolean>;

  /**
   * Deletes a value.
   * @param key The key, without the prefix of the store.
   * @returns The key, even if there was no value.
   * @throws `ERR_KEY`.
   */
  del(key: string): Promise<string>;

  /**
   * Reads the remaining life of a value.
   * @param key The key, without the prefix of the store.
   * @returns **Seconds**; `Infinity` if the value does not expire; `null` if there is no value.
   * @throws `ERR_KEY`; `ERR_UNSUPPORTED` if the custom client manages expiry itself and does not tell it.
   */
  ttl(key: string): Promise<number | null>;

  /**
   * Gives a value a new expiry. The value stays the same, and a value that another writer sets meanwhile is not undone.
   * @param key The key, without the prefix of the store.
   * @param expires The new life in **seconds** or as a string; `null` means for ever. Without it, the default of the store applies.
   * @returns `true` if there was a value.
   * @throws `ERR_KEY`; `ERR_EXPIRES`; `ERR_UNSUPPORTED` if the storage cannot change atomically.
   */
  touch(key: string, expires?: Expires): Promise<boolean>;

  /**
   * Reads a value with its expiry and its version, for `cas()` and `batch()`.
   * @param key The key, without the prefix of the store.
   * @returns The entry, or `null` if there is no value.
   * @throws `ERR_KEY`; `ERR_UNSUPPORTED` if the storage cannot change atomically.
   */
  entry<V extends T = T>(key: string): Promise<Entry<V> | null>;

  /**
   * Changes a value depending on what it is, atomically: no write of others comes between reading and writing.
   *
   * ```js
   * await store.update("cart", (cart) => [...(cart ?? []), "apple"]);
   * ```
   *
   * @param key The key, or several keys, whose values are then changed as a whole or not at all.
   * @param change Receives a copy of the value, or `null` if there is none; for several keys, an array. It returns the new value, or `null`
   *   to delete the key. It must not be asynchronous and have no other effect, because it may be called again. What it throws rejects
   *   the call unchanged, and nothing is written.
   * @param options A value that is there keeps its expiry, unless `renew` is true. `expires` or the default of the store is for a new one.
   * @returns The new value, or the new values.
   * @throws `ERR_VALUE` if `change` returns undefined, a promise, or what JSON cannot hold; `ERR_KEY`; `ERR_CONFLICT`; `ERR_UNSUPPORTED` if
   *   the storage cannot change atomically, or not several keys.
   */
  update<V extends T = T>(
    key: string,
    change: (value: V | null) => V | null,
    options?: UpdateOptions,
  ): Promise<V | null>;
  update<V extends T = T>(
    keys: readonly string[],
    change: (values: (V | null)[]) => readonly (V | null)[],
    options?: UpdateOptions,
  ): Promise<(V | null)[]>;

  /**
   * Adds to a number, atomically. Without a value, it starts from 0.
   * @param key The key, without the prefix of the store.
   * @param by The number to add; 1 by default. It may be negative.
   * @param options As for `update`.
   * @returns The sum. If the expiry of a new counter is 0 or less, the sum is not stored.
   * @throws `ERR_VALUE` if the value is not a number, or if the sum would be beyond 2^53 - 1; `ERR_KEY`; `ERR_CONFLICT`; `ERR_UNSUPPORTED`.
   */
  incr(key: string, by?: number, options?: UpdateOptions): Promise<number>;

  /**
   * Writes a value if there is none, atomically.
   * @returns `true` if the value was written. An expiry of 0 or less writes nothing: `false`.
   * @throws `ERR_VALUE`; `ERR_KEY`; `ERR_CONFLICT`; `ERR_UNSUPPORTED`.
   */
  setIfAbsent<V extends T = T>(key: string, value: V, options?: Options): Promise<boolean>;

  /**
   * Writes a value if the current one has this version, atomically.
   * @param key The key, without the prefix of the store.
   * @param version The version of the entry that was read, or `null` if there must be no value.
   * @param value The new value, or `null` to delete the key.
   * @param options As for `update`.
   * @returns `true` if the value was written; `false` if there is another version.
   * @throws `ERR_VALUE`; `ERR_KEY`; `ERR_OPTIONS` for the version; `ERR_CONFLICT`; `ERR_UNSUPPORTED`.
   */
  cas<V extends T = T>(key: string, version: string | null, value: V | null, options?: UpdateOptions): Promise<boolean>;

  /**
   * Reads a value and deletes it in one step, so that of several callers only one receives it.
   * @returns The value, or `null` if there was none.
   * @throws `ERR_KEY`; `ERR_CONFLICT`; `ERR_UNSUPPORTED`.
   */
  take<V extends T = T>(key: string): Promise<V | null>;

  /**
   * Makes several changes as a whole or not at all, if all checks hold.
   *
   * ```js
   * const from = await store.entry("from");
   * await store.batch([["check", "from", from.version], ["del", "from"], ["set", "to", from.value]]);
   * ```
   *
   * @returns `true` if the changes were made; `false` if a check did not hold, and nothing was changed.
   * @throws `ERR_OPTIONS` for an unknown write, or one with too many members; `ERR_VALUE`, also for a `set` without a value; `ERR_KEY`; `ERR_EXPIRES`; `ERR_CONFLICT`; `ERR_UNSUPPORTED` if the storage
   *   cannot change several keys as a whole.
   */
  batch(writes: readonly Write<T>[]): Promise<boolean>;

  /**
   * Reads several values, as so many calls of `get`.
   * @returns The values in the order of the keys; `null` where there is none.
   * @throws The first error; its message also says how many calls succeeded. The same holds for the next three methods.
   */
  getMany<V extends T = T>(keys: Iterable<string>): Promise<(V | null)[]>;
  /**
   * Writes several values, as so many calls of `set`. Every entry is checked first: if one cannot be stored, nothing is written. If the
   * storage fails in the middle, some are written and others are not; `batch` writes all or none.
   * @returns The keys.
   */
  setMany<V extends T = T>(
    entries: Iterable<readonly [key: string, value: V | null]> | { readonly [key: string]: V | null },
    options?: Options,
  ): Promise<string[]>;
  /** Deletes several values, as so many calls of `del`, after every key was checked. @returns The keys. */
  delMany(keys: Iterable<string>): Promise<string[]>;
  /** Checks several keys, as so many calls of `has`. */
  hasMany(keys: Iterable<string>): Promise<boolean[]>;

  /**
   * Watches a key, a range, or the whole store.
   *
   * ```js
   * for await (const change of store.watch("user")) console.log(change.type, change.value);
   * ```
   *
   * Changes of one key come in their order. Those that are not fetched yet become the last one, so that a watcher that is never read keeps
   * one change for each key. A `set` has the value as it is when the change is handed over, and what wrote nothing is no change.
   * An expiry comes when its time is over. In pages, the code of this method is downloaded with its first call.
   *
   * @param key The key, without the prefix of the store, or a range of keys, without `limit` and `reverse`; the whole store by default.
   * @param listener Is called with each change. An error that it throws is reported as uncaught, and ends no watcher. If the watcher
   *   is refused and nobody handles `ready`, that is an unhandled rejection.
   * @param options `signal`, `initial` and `reach`.
   * @returns The watcher, at once. Errors are those of {@link Watcher.ready}.
   */
  watch<V extends T = T>(key?: string | Range, options?: WatchOptions): Watcher<V>;
  watch<V extends T = T>(listener: (change: Change<V>) => void, options?: WatchOptions): Watcher<V>;
  watch<V extends T = T>(
    key: string | Range | undefined,
    listener: (change: Change<V>) => void,
    options?: WatchOptions,
  ): Watcher<V>;

  /**
   * Lists the keys. As in all listings, expired records are left out. Without a range, the order is unspecified.
   * @param range The part of the store to list; the whole store by default. The result is then in order.
   * @returns The keys, without the prefix of the store.
   * @throws `ERR_UNSUPPORTED` if the custom client cannot list; `ERR_OPTIONS` for the range; `ERR_CORRUPT` if a record cannot be read.
   */
  keys(range?: Range): Promise<string[]>;

  /**
   * Lists the values.
   * @returns The values, as copies.
   * @throws `ERR_UNSUPPORTED` if the custom client cannot list; `ERR_OPTIONS` for the range; `ERR_CORRUPT` if a record cannot be read.
   */
  values<V extends T = T>(range?: Range): Promise<V[]>;

  /**
   * Lists the keys with their values.
   * @returns Pairs of a key, without the prefix of the store, and a copy of its value.
   * @throws `ERR_UNSUPPORTED` if the custom client cannot list; `ERR_OPTIONS` for the range; `ERR_CORRUPT` if a record cannot be read.
   */
  entries<V extends T = T>(range?: Range): Promise<[key: string, value: V][]>;

  /**
   * Reads all values into one object.
   * @returns An object with a property for each key, without the prefix of the store.
   * @throws `ERR_UNSUPPORTED` if the custom client cannot list; `ERR_OPTIONS` for the range; `ERR_CORRUPT` if a record cannot be read.
   */
  all<V extends T = T>(range?: Range): Promise<Record<string, V>>;

  /**
   * Counts the values.
   * @param range The part of the store to count; the whole store by default.
   * @returns The number of values that have not expired.
   * @throws `ERR_UNSUPPORTED` if the custom client cannot list; `ERR_OPTIONS` for the range.
   */
  size(range?: Range): Promise<number>;

  /**
   * Reads one page of entries, in the order of their keys. Over Redis, pages without a bound and `reverse` come in the order of Redis, for
   * they then cost no more than their entries; the last one may be empty.
   * @param options A range, whose `limit` is the length of the page (100 by default), and the `cursor` of the page before. A later process
   *   may use a cursor, too.
   * @returns The entries, and the cursor of the next page; `null` after the last page.
   * @throws `ERR_OPTIONS` for the range, or for a cursor of another prefix or range; `ERR_UNSUPPORTED` if the custom client cannot list.
   */
  page<V extends T = T>(
    options?: Range & { cursor?: string | null },
  ): Promise<{ entries: [key: string, value: V][]; cursor: string | null }>;

  /**
   * Iterates over the entries of a range with `for await`, as over the store itself.
   * @param range The part of the store; the whole store by default.
   * @throws `ERR_OPTIONS` at once for the range; otherwise as for the iteration of the store.
   */
  range<V extends T = T>(range?: Range): AsyncIterableIterator<[key: string, value: V]>;

  /**
   * Iterates over the entries with `for await`. It keeps one page of records in memory, not the whole store. Writing and deleting
   * during an iteration is safe; whether the iteration sees new records depends on the client.
   * @returns An iterator of pairs of a key, without the prefix of the store, and a copy of its value.
   * @throws `next()` rejects with `ERR_UNSUPPORTED` if the custom client cannot list; with `ERR_CORRUPT` if a record cannot be read;
   *   with `ERR_CLOSED` if the store was closed meanwhile.
   */
  [Symbol.asyncIterator](): AsyncIterator<[key: string, value: T]>;

  /**
   * Deletes all records of this store, or those of a range. Records outside its prefix and data of other code stay.
   * @param range The part of the store to delete; the whole store by default.
   * @throws `ERR_UNSUPPORTED` if the custom client can neither clear nor list; `ERR_OPTIONS` for the range.
   */
  clear(range?: Range): Promise<void>;

  /**
   * Deletes the records of this store that have expired. Storages that delete expired records themselves, for example Redis, need no
   * `prune()`.
   * @returns The number of deleted records; 0 if the storage deletes expired records itself.
   * @throws `ERR_UNSUPPORTED` if the custom client can neither prune nor list.
   */
  prune(): Promise<number>;

  /**
   * Closes the store that `kv()` returned, together with its sub-stores: their later calls reject with `ERR_CLOSED`. A client that was
   * opened from a name or a URL is closed with the last store over it. A client object with a method `close`, `end` or `quit` is
   * closed at once, which ends every store over it. Closing a closed store does nothing.
   * @returns A promise that resolves when the pending calls have ended and the client is closed.
   * @throws `ERR_CLIENT` if closing the client fails or takes longer than `timeout`.
   */
  close(): Promise<void>;

  /**
   * Makes a sub-store: the entries of this store whose keys begin with `prefix`. The keys of the sub-store lack that prefix.
   * @param prefix The prefix, appended to the prefix of this store.
   * @returns The sub-store, with the default expiry of this store.
   * @throws `ERR_KEY` at once if the prefix is neither a string nor a finite number; also if it is missing, because the sub-store would then
   *   be the whole store.
   */
  prefix(prefix: string): Store<T>;

  /**
   * Makes a store over the same entries with another default expiry.
   * @param expires The default expiry in **seconds** or as a string; with `null`, values do not expire by default.
   * @param options With `sliding`, `get` renews the expiry of a value that has this default, once an eighth of its life is over. The read
   *   neither waits for that nor fails with it. Where the storage cannot change atomically, `get` rejects with `ERR_UNSUPPORTED`.
   * @returns The store, with the prefix of this store.
   * @throws `ERR_EXPIRES` at once if it cannot be parsed, or is missing.
   */
  expires(expires: Expires, options?: { sliding?: boolean }): Store<T>;
}

/**
 * Wraps a client in a store at once, without `new` or `await`.
 *
 * ```js
 * const store = kv(localStorage).prefix("session:").expires("1h");
 * await store.set("user", { name: "Ada" });
 * ```
 *
 * @param client The storage; without arguments, a new Map. One of:
 *   - in memory: a `Map`, an `LRUCache` of lru-cache, a `WeakLRUCache` of weak-lru-cache;
 *   - in a browser: `localStorage`, `sessionStorage`, `"cookie"`, `"indexeddb:name"` for a database of its own, `indexedDB` for the
 *     database named `polystore`, `"opfs:name"` for a log in the origin private file system, a localForage instance;
 *   - in Node, Bun and Deno: a `file:///…` URL of a JSON file (`….json`), a folder (`…/`) or a log (`….kv`), or a database of
 *     node:sqlite, better-sqlite3 or bun:sqlite;
 *   - a server: the `https://…` URL of a store served by `polystore-wasm/server` or polystore; a client of redis or ioredis, or a
 *     cluster of either; an `Etcd3` of etcd3; a `Client` or `Pool` of pg, or a PGlite; a Cloudflare KV namespace;
 *   - any storage of another library: a Level database or sublevel (`abstract-level`), a Keyv;
 *   - a custom client: an object or a class with `get()` and `set()`; see {@link RecordClient} and {@link ValueClient};
 *   - another store, whose prefix, expiry and timeout are then the defaults;
 *   - a promise of one of these.
 * @param options The default expiry, the prefix, and further options of the store.
 * @returns The store. If opening the client fails, the calls of the store reject, and the next call tries to open it again.
 * @throws `ERR_CLIENT` for anything else, also for `undefined`; `ERR_EXPIRES`; `ERR_KEY` for the prefix; `ERR_OPTIONS`;
 *   `ERR_WASM` if the page forbids WebAssembly.
 */
export default function kv<T = any>(...call: CallFor<T, []>): Store<T>;
export default function kv<T = any>(...call: CallFor<T, [client: Client, options?: StoreOptions | null]>): Store<T>;
export default function kv<T = any>(
  client: (ValueClient & ({ RAW: true } | { HAS_EXPIRATION: true })) | LegacyValueClient,
  options?: StoreOptions | null,
): Store<T>;
