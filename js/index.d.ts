/**
 * What a store can hold: whatever JSON can. `undefined` counts as `null`, and `null` is the absence of a value. As in JSON, a
 * member that is `undefined` is left out, and in an array it becomes `null`; an object whose `toJSON()` gives an object or an
 * array is stored as that.
 */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value | undefined };

/** What of a type JSON can hold: a type whose values it cannot, like `Date`, is not among them. */
export type Storable<T> = T extends ((...args: any[]) => any) | symbol | bigint
  ? never
  : T extends object
    ? { [K in keyof T]: Storable<T[K]> }
    : T;

/** The arguments of a call that makes a store for values of a type, where JSON can hold that. */
export type CallFor<T, Arguments extends unknown[]> = [T] extends [Storable<T>]
  ? Arguments
  : [error: "JSON cannot hold this type"];

/**
 * How long a value lives:
 * - a number of **seconds** (`0.5` is half a second; `0` or less: it is deleted at once);
 * - a text such as `"10s"`, `"2 hours"`, `"1.5d"`, `"1,000 ms"`. Units: `ms` `msec` `millisecond`, `s` `sec` `second`,
 *   `m` `min` `minute`, `h` `hr` `hour`, `d` `day`, `w` `wk` `week`, `b` `month`, `y` `yr` `year`, and their plurals;
 *   without a unit, seconds;
 * - `null`: for ever.
 */
export type Expires = number | string | null;

export interface Options {
  /** How long the value lives. Without it, the store's default counts; see {@link Store.expires}. */
  expires?: Expires;
  /** Takes the place of the store's prefix. In `kv()`, it is added to the prefix of the store that is wrapped. */
  prefix?: string;
}

export interface StoreOptions extends Options {
  /**
   * How long an answer of the client is waited for: a number of **seconds**, or a text such as `"5s"` or `"500 ms"`. A call
   * that is not answered in this time rejects with `ERR_CLIENT`; a listing asks anew for each page. Without it, or with
   * `null`, the client alone decides. It holds for all stores made of this one. Whether a write that was given up has been
   * done, or will yet be, only the client knows.
   */
  timeout?: number | string | null;

  /**
   * When a write to `opfs:…`, `indexeddb:…` or `file:///….kv` resolves. `"relaxed"`, the default: when a crash of the page or of
   * the process cannot undo it; a power failure may undo the last second. `"strict"`: when that cannot undo it either. All
   * stores of one client have the same; other clients have no choice.
   */
  durability?: "strict" | "relaxed";

  /** Where the cookies of `kv("cookie")` hold; stores with the same share a client. Other clients have no such option. */
  cookie?: CookieOptions;
}

/** What a browser knows as the attributes of a cookie. */
export interface CookieOptions {
  /** The path of the pages that see the cookies: `"/"`, all of the site, is the default. */
  path?: string;
  /** A domain above the page's, all of whose hosts see the cookies. Without it, only the page's own does. */
  domain?: string;
  /** Whether the browser sends them with requests that come from other sites; `"none"` wants `secure`. */
  sameSite?: "strict" | "lax" | "none";
  /** Sends them over HTTPS only. */
  secure?: boolean;
  /** Keeps those of a page in a frame apart for each site that frames it; wants `secure`. */
  partitioned?: boolean;
}

/**
 * What every error of this package says in its `code`:
 *
 * | code | what happened |
 * |---|---|
 * | `ERR_CLIENT` | `kv()` was given something that it cannot wrap, or the client failed: see `cause` |
 * | `ERR_CLOSED` | the store was closed |
 * | `ERR_CORRUPT` | a file or a record cannot be read; it was left as it is |
 * | `ERR_EXPIRES` | an `expires` that cannot be understood |
 * | `ERR_KEY` | a key that is no string, or that this storage cannot hold |
 * | `ERR_OPTIONS` | an option that does not exist |
 * | `ERR_QUOTA` | the storage is full; what was there is unchanged |
 * | `ERR_UNSUPPORTED` | the client of your own cannot list what it holds |
 * | `ERR_VALUE` | a value that JSON cannot hold; the message has the path to it |
 * | `ERR_WASM` | WebAssembly cannot start: mostly, the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` |
 */
export type ErrorCode =
  | "ERR_CLIENT"
  | "ERR_CLOSED"
  | "ERR_CORRUPT"
  | "ERR_EXPIRES"
  | "ERR_KEY"
  | "ERR_OPTIONS"
  | "ERR_QUOTA"
  | "ERR_UNSUPPORTED"
  | "ERR_VALUE"
  | "ERR_WASM";

/**
 * What this package throws and rejects with. Wrong arguments are a `TypeError` as well; `instanceof PolystoreError`
 * holds for them too, also where a page has two copies of this package.
 */
export class PolystoreError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly code: ErrorCode;
}

/** What lies at a key in a storage that has no expiry of its own. */
export interface StoredRecord<T = any> {
  /** Milliseconds since the epoch, or `null` for never. */
  expires: number | null;
  value: T;
}

type Awaitable<T> = T | PromiseLike<T>;
type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

interface CustomClient {
  /** What `store.type` says; `"UNKNOWN"` without it. */
  TYPE?: string;
  /** Awaited before the first operation. Called once for all stores over this client, and again after a failure. */
  connect?(): Awaitable<unknown>;
  /** The same, as a promise that is there already. */
  promise?: PromiseLike<unknown>;
  del?(key: string): Awaitable<unknown>;
  /** Removes everything whose key has this prefix; `""` is everything. */
  clear?(prefix: string): Awaitable<unknown>;
  close?(): Awaitable<unknown>;
}

/** A client of your own that holds records, and leaves their expiry to us. Without `del`, `set(key, null)` deletes. */
export interface RecordClient extends CustomClient {
  RAW?: false;
  HAS_EXPIRATION?: false;
  EXPIRES?: false;
  get(key: string): Awaitable<StoredRecord | null | undefined>;
  set(key: string, record: StoredRecord | null): Awaitable<unknown>;
  add?(prefix: string, record: StoredRecord): Awaitable<string>;
  /** One of these two, for whatever lists or clears. Keys come with the prefix. */
  iterate?(prefix: string): AnyIterable<[key: string, record: StoredRecord]>;
  entries?(prefix: string): Awaitable<Iterable<[key: string, record: StoredRecord]>>;
}

interface ValueClientMethods extends CustomClient {
  get(key: string): Awaitable<any>;
  has?(key: string): Awaitable<boolean>;
  iterate?(prefix: string): AnyIterable<[key: string, value: any]>;
  entries?(prefix: string): Awaitable<Iterable<[key: string, value: any]>>;
  keys?(prefix: string): Awaitable<Iterable<string>>;
  values?(prefix: string): Awaitable<Iterable<any>>;
  /** Removes what has expired, and may say how many records that were. */
  prune?(prefix: string): Awaitable<number | void>;
}

/**
 * A client of your own that holds values as they are, by identity, and sees to their expiry, which it is given in
 * seconds (`null` for never). Without `del`, `set(key, null, 0)` deletes.
 */
export interface ValueClient extends ValueClientMethods {
  RAW?: boolean;
  HAS_EXPIRATION?: boolean;
  set(key: string, value: any, expires: number | null): Awaitable<unknown>;
  add?(prefix: string, value: any, expires: number | null): Awaitable<string>;
}

/** The same, as such clients were written until 2024: the expiry comes in an object. */
export interface LegacyValueClient extends ValueClientMethods {
  EXPIRES: true;
  set(key: string, value: any, options: { expires: number | null }): Awaitable<unknown>;
  add?(prefix: string, value: any, options: { expires: number | null }): Awaitable<string>;
}

/** What we need of localStorage, sessionStorage, and whatever is like them. */
export interface StorageClient {
  readonly length: number;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  key(index: number): string | null;
}

/** What we need of a page's `indexedDB`. */
export interface IndexedDbClient {
  open(name: string, version?: number): any;
  deleteDatabase(name: string): any;
}

/** A URL as an object, of a file or a server. */
export interface UrlClient {
  readonly href: string;
  readonly searchParams: object;
}

/** What we need of a localForage instance. */
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

/** What we need of a namespace of Cloudflare KV, which a Worker has in its `env`. */
export interface CloudflareClient {
  get(...args: any[]): any;
  getWithMetadata(...args: any[]): any;
  put(...args: any[]): any;
  delete(...args: any[]): any;
  list(...args: any[]): any;
}

/** What we need of a client of the package `redis`, connected or not: of one server, not of a pool. */
export interface NodeRedisClient {
  isOpen: boolean;
  connect(): Promise<any>;
  select(...args: any[]): any;
  sendCommand(...args: any[]): any;
  on(event: string, listener: (...args: any[]) => any): any;
  off(event: string, listener: (...args: any[]) => any): any;
}

/** What we need of a cluster of the package `redis`, connected or not. */
export interface NodeRedisCluster {
  isOpen: boolean;
  masters: any[];
  connect(): Promise<any>;
  nodeClient(...args: any[]): any;
  sendCommand(...args: any[]): any;
  on(event: string, listener: (...args: any[]) => any): any;
  off(event: string, listener: (...args: any[]) => any): any;
}

/** What we need of a client of the package `ioredis`: of one server, or of a cluster. */
export interface IoRedisClient {
  status: string;
  connect(...args: any[]): Promise<any>;
  call(...args: any[]): any;
  quit(...args: any[]): any;
  on(event: any, listener: (...args: any[]) => any): any;
  off(event: any, listener: (...args: any[]) => any): any;
  once(event: any, listener: (...args: any[]) => any): any;
}

/** What we need of a Keyv, of version 5 or 6. */
export interface KeyvClient {
  getRaw(...args: any[]): any;
  getManyRaw(...args: any[]): any;
  set(...args: any[]): any;
  delete(...args: any[]): any;
  deleteMany(...args: any[]): any;
}

/** What we need of an LRUCache of the package `lru-cache`. */
export interface LruCacheClient {
  get(...args: any[]): any;
  set(...args: any[]): any;
  delete(...args: any[]): any;
  peek(...args: any[]): any;
  getRemainingTTL(...args: any[]): any;
  dump(): any;
}

/** What we need of a Level database, or of a sublevel: of any `abstract-level`. */
export interface LevelClient {
  open(...args: any[]): any;
  close(...args: any[]): any;
  getMany(...args: any[]): any;
  put(...args: any[]): any;
  del(...args: any[]): any;
  batch(...args: any[]): any;
  iterator(...args: any[]): any;
}

/** What we need of an Etcd3 of the package `etcd3`, or of a namespace of one. */
export interface EtcdClient {
  getAll(): any;
  put(key: string): any;
  delete(): any;
  lease(ttl: number, options?: any): any;
  namespace(prefix: string): any;
}

/** What we need of a Client or a Pool of the package `pg`, or of a PGlite. It holds records in its table `kv`. */
export interface PostgresClient {
  query(...args: any[]): any;
}

/** What we need of a database of node:sqlite, better-sqlite3 or bun:sqlite. It holds records in its table `kv`. */
export interface SqliteClient {
  prepare(sql: string): any;
  exec(sql: string): any;
  close(): any;
}

// None of these names a type of a page: it would be `any` to whoever compiles without those, and so would be Client.
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

/** What `kv()` wraps: the client itself, a class of which it makes one, or a promise of the client. */
export type Client =
  PlainClient | (new () => RecordClient | ValueClient | LegacyValueClient) | PromiseLike<PlainClient>;

/**
 * A key-value store over a client. Every method is bound, so `keys.map(store.del)` works. Every method that returns a
 * promise rejects with a {@link PolystoreError}: `ERR_CLOSED` after `close()`, `ERR_CLIENT` or `ERR_QUOTA` when the
 * client fails, and what its own description says.
 */
export interface Store<T = any> extends AsyncIterable<[key: string, value: T]> {
  /** What all keys of this store begin with in the client. */
  readonly PREFIX: string;
  /** The default expiry in seconds, or `null`. */
  readonly EXPIRES: number | null;
  /** The kind of client: `"MEMORY"`, `"STORAGE"`, `"COOKIE"`, `"INDEXEDDB"`, `"PROMISE"` until it is known, … */
  readonly type: string;

  /**
   * Reads a value.
   * @returns The value, or `null` if there is none or it has expired. It is a copy: changing it changes nothing stored.
   */
  get<V extends T = T>(key: string): Promise<V | null>;

  /**
   * Writes a value, as a copy. `null`, `undefined` or an expiry of 0 or less deletes; to leave the value out is an error.
   * @returns The key.
   * @throws `ERR_VALUE` without a value and for what JSON cannot hold, `ERR_EXPIRES`, `ERR_KEY`, `ERR_OPTIONS`; nothing is then written.
   */
  set<V extends T = T>(key: string, value: V | null | undefined, options?: Options): Promise<string>;

  /**
   * Writes a value at a fresh key: 24 characters of `[A-Za-z0-9]`, cryptographically random.
   * @returns The key, without the store's prefix.
   * @throws As `set`.
   */
  add<V extends T = T>(value: V | null | undefined, options?: Options): Promise<string>;

  /** Says whether there is a value that has not expired. */
  has(key: string): Promise<boolean>;

  /**
   * Deletes a value.
   * @returns The key, also if there was no value.
   */
  del(key: string): Promise<string>;

  /** All keys, without the store's prefix, in no particular order. Like all listings, without what has expired. */
  keys(): Promise<string[]>;

  /** All values. */
  values<V extends T = T>(): Promise<V[]>;

  /** All pairs of a key and its value. */
  entries<V extends T = T>(): Promise<[key: string, value: V][]>;

  /** All values by their key, in an object. */
  all<V extends T = T>(): Promise<Record<string, V>>;

  /**
   * The entries one by one. What is in memory at a time is a page of them, not the whole store. Writing and deleting
   * meanwhile is safe; whether what is added meanwhile is seen depends on the client.
   */
  [Symbol.asyncIterator](): AsyncIterator<[key: string, value: T]>;

  /** Deletes all that this store holds, and nothing else: not what is outside its prefix, nor what other code stored. */
  clear(): Promise<void>;

  /**
   * Deletes all that has expired in this store.
   * @returns How many records that were.
   */
  prune(): Promise<number>;

  /**
   * Ends what `kv()` gave, with its sub-stores: their later calls reject. Resolves when what is under way has ended. What was
   * opened for a name or a URL is released with the last store over it; a client that you gave and that can be closed is closed,
   * and every store over it ends.
   */
  close(): Promise<void>;

  /** A sub-store: the entries of this store whose keys begin with `prefix`, which its own keys lack. */
  prefix(prefix?: string): Store<T>;

  /**
   * The same store with a default expiry.
   * @throws `ERR_EXPIRES` at once if it cannot be understood.
   */
  expires(expires?: Expires): Store<T>;
}

/**
 * Wraps a client in a store, at once: no `new`, no `await`.
 *
 * ```js
 * const store = kv(localStorage).prefix("session:").expires("1h");
 * await store.set("user", { name: "Ada" });
 * ```
 *
 * @param client A Map, localStorage, sessionStorage, `"cookie"`, `"indexeddb:name"` with the name of a database that is
 *   ours alone, `indexedDB` for the one named `polystore`, a localForage instance, an object or a class of your own,
 *   another store, or a promise of one of these. Without an argument: a new Map.
 * @throws `ERR_CLIENT` for anything else, `undefined` included; `ERR_EXPIRES`, `ERR_OPTIONS`; `ERR_WASM` where the page
 *   forbids WebAssembly.
 */
export default function kv<T = any>(...call: CallFor<T, []>): Store<T>;
export default function kv<T = any>(...call: CallFor<T, [client: Client, options?: StoreOptions | null]>): Store<T>;
export default function kv<T = any>(
  client: (ValueClient & ({ RAW: true } | { HAS_EXPIRATION: true })) | LegacyValueClient,
  options?: StoreOptions | null,
): Store<T>;
