import { Method, NEVER } from "../core/core.js";
import { Listing, lookUp, perform, stream, Task, Writing } from "../core/driver.js";
import { PolystoreTypeError } from "../support/errors.js";
import { keyText, readOptions, seconds } from "./options.js";
import { WRAPPED } from "../open/source.js";
import { copyValue } from "../values/plain.js";

/** @typedef {import("../open/source.js").Source} Source */
/** @typedef {import("../core/connection.js").Connection} Connection */

/** The source that one `kv()` shares with its sub-stores, until `close()` replaces it by a closed one. @typedef {{ source: Source }} Life */

const SELF = Symbol("self");

// The results that listings make of a record.
/** @type {(key: string, value: any) => any} */
const valueOnly = (_, value) => value;
/** @type {(key: string, value: any) => [string, any]} */
const entry = (key, value) => [key, value];

// Ends the iterations that the user has dropped without finishing them. A Cloudflare Worker may have no such registry.
const abandoned =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry((/** @type {AsyncGenerator} */ records) => void records.return(undefined));

/**
 * The iteration that the user holds. The registry holds the generator behind it, and can so end it once the user's is collected.
 * @param {AsyncGenerator<[string, any], void>} records
 */
async function* iterationOf(records) {
  yield* records;
}

/**
 * The store that `kv()` returns; index.d.ts documents it. Each method is an own property that is bound to the store, so
 * `keys.map(store.del)` works, a Proxy can call it, and a test can replace it. The methods cost each sub-store 1 KB and 0.1 µs;
 * binding each on its first use was slower from the second method on.
 */
export class Store {
  #life;
  #prefix;
  #expires;
  #timeout;

  /**
   * @param {Life} life
   * @param {string} prefix
   * @param {number} [expires] Seconds, or NEVER. Undefined over a promise, whose store then decides.
   * @param {number} [timeout] How long to wait for an answer of the client, in milliseconds; 0 means no limit.
   */
  constructor(life, prefix, expires, timeout) {
    this.#life = life;
    this.#prefix = prefix;
    this.#expires = expires;
    this.#timeout = timeout;
    const store = this;
    this.set = async function (key, value, options) {
      const text = keyText(key);
      if (arguments.length < 2) throw missingValue();
      return store.#write(Method.set, text, value, options);
    };
    this.add = async function (value, options) {
      if (arguments.length === 0) throw missingValue();
      return store.#write(Method.add, "", value, options);
    };
    life.source.stores?.push((under, source) => {
      this.#prefix = under.prefix + this.#prefix;
      this.#expires ??= under.expires;
      this.#timeout ??= under.timeout;
      if (life.source.stores) life.source = source;
    });
  }

  // These two are functions, because they must know whether a value was passed at all.
  /** @type {(key: string, value: unknown, options?: import("./options.js").Options) => Promise<any>} */
  set;
  /** @type {(value: unknown, options?: import("./options.js").Options) => Promise<any>} */
  add;

  /** Returns the store itself even if it is called on a Proxy of the store, which lacks the private fields. */
  [SELF] = () => this;

  get PREFIX() {
    return this[SELF]().#prefix;
  }

  get EXPIRES() {
    const expires = this[SELF]().#expires ?? NEVER;
    return expires === NEVER ? null : expires;
  }

  get type() {
    return this[SELF]().#life.source.type;
  }

  get [WRAPPED]() {
    const store = this[SELF]();
    const { client } = store.#life.source;
    return { client, prefix: store.#prefix, expires: store.#expires, timeout: store.#timeout };
  }

  /** @param {string} key */
  get = async (key) => this.#lookUp(Method.get, keyText(key));

  /** @param {string} key */
  has = async (key) => this.#lookUp(Method.has, keyText(key));

  /** @param {string} key */
  del = async (key) => this.#perform(new Task(Method.del, keyText(key), ""));

  keys = async () => this.#perform(new Listing(Method.list, ""));

  values = async () => this.#perform(new Listing(Method.list, "", "values", valueOnly));

  entries = async () => this.#perform(new Listing(Method.list, "", "entries", entry));

  all = async () => Object.fromEntries(await this.entries());

  [Symbol.asyncIterator] = () => {
    const records = this.#records();
    const iteration = iterationOf(records);
    abandoned?.register(iteration, records);
    return iteration;
  };

  clear = async () => this.#perform(new Listing(Method.clear, ""));

  prune = async () => this.#perform(new Listing(Method.prune, ""));

  close = async () => {
    const life = this.#life;
    const { source } = life;
    const { connection } = source;
    if (connection?.closed) return connection.closing ?? undefined;
    const task = new Task(Method.close, "", "");
    // Over a promise, the client that it resolved with may have other stores.
    const end = (/** @type {Connection} */ opened) =>
      source.inner?.release() === false ? opened.turn() : perform(opened, task, this.#timeout);
    if (source.release()) {
      if (connection) return end(connection);
      life.source = source.closed(source.whenOpen(end, this.#timeout, true));
    } else {
      life.source = source.closed(source.underWay());
    }
    return life.source.connection?.closing;
  };

  /** @param {string} [prefix] */
  prefix = (prefix = "") =>
    new Store(this.#life, this.#prefix + keyText(prefix, "prefix"), this.#expires, this.#timeout);

  /** @param {number | string | null} [expires] */
  expires = (expires = null) => new Store(this.#life, this.#prefix, seconds(expires), this.#timeout);

  async *#records() {
    const life = this.#life;
    const begin = (/** @type {Connection} */ opened) =>
      stream(opened, new Listing(Method.list, this.#prefix, "stream", entry), this.#timeout, () =>
        Boolean(life.source.connection?.closed),
      );
    const { connection } = life.source;
    if (connection) return yield* begin(connection);
    /** @type {Promise<IteratorResult<[string, any], void>> | undefined} */
    let first;
    const records = await life.source.whenOpen((opened) => {
      const records = begin(opened);
      first = records.next(); // Now, before the calls that were made after this one.
      return records;
    }, this.#timeout);
    try {
      const result = await first;
      if (!result || result.done) return;
      yield result.value;
      yield* records;
    } finally {
      await records.return();
    }
  }

  /**
   * @param {number} method
   * @param {string} key
   */
  #lookUp(method, key) {
    const { source } = this.#life;
    const { connection } = source;
    return connection
      ? lookUp(connection, method, key, this.#prefix + key, this.#timeout)
      : source.whenOpen((opened) => lookUp(opened, method, key, this.#prefix + key, this.#timeout), this.#timeout);
  }

  /** @param {Task} task */
  #perform(task) {
    const { source } = this.#life;
    const begin = (/** @type {Connection} */ connection) => {
      task.id = this.#prefix + task.key;
      return perform(connection, task, this.#timeout);
    };
    return source.connection ? begin(source.connection) : source.whenOpen(begin, this.#timeout);
  }

  /**
   * @param {number} method
   * @param {string} key
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  #write(method, key, value = null, options = undefined) {
    const { prefix, expires } = readOptions(options);
    const { source } = this.#life;
    if (source.connection) return this.#writeNow(source.connection, method, prefix, key, value, expires);
    // The value is checked and copied now, because the user may change it before the client is open. Whether the copy is needed is
    // known only then.
    const copy = attempt(() => copyValue(value));
    return source.whenOpen((opened) => {
      const given = opened.copies === "identity" ? value : copy();
      return this.#writeNow(opened, method, prefix, key, given, expires);
    }, this.#timeout);
  }

  /**
   * @param {Connection} connection
   * @param {number} method
   * @param {string | undefined} prefix
   * @param {string} key
   * @param {unknown} value
   * @param {number | undefined} expires
   */
  #writeNow(connection, method, prefix = this.#prefix, key, value, expires = this.#expires ?? NEVER) {
    const stored = connection.copies === "identity" ? value : copyValue(value);
    return perform(connection, new Writing(method, key, prefix + key, stored, expires), this.#timeout);
  }
}

function missingValue() {
  return new PolystoreTypeError("ERR_VALUE", "The value is missing. Pass a value, or null to delete the key.");
}

/**
 * Runs an action now. The returned function then returns its result or throws its error.
 * @template Result
 * @param {() => Result} action
 * @returns {() => Result}
 */
function attempt(action) {
  try {
    const result = action();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
