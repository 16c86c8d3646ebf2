import { Method, NEVER } from "./core.js";
import { Listing, lookUp, perform, stream, Task, Writing } from "./driver.js";
import { keyText, readOptions, seconds } from "./options.js";
import { copyValue } from "./value.js";

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./source.js").Connection} Connection */

/** Where every copy of this package finds what a store wraps: `{ client, prefix, expires }`. */
export const WRAPPED = Symbol.for("polystore-wasm.wrapped");

// What a listing makes of a record.
/** @type {(key: string, value: any) => any} */
const valueOnly = (_, value) => value;
/** @type {(key: string, value: any) => [string, any]} */
const entry = (key, value) => [key, value];

/** What `kv()` gives. Its contract is written down in index.d.ts. */
export class Store {
  #source;
  #prefix;
  #expires;
  #timeout;

  /**
   * @param {Source} source
   * @param {string} prefix
   * @param {number} expires Seconds, or NEVER.
   * @param {number} timeout How long an answer of the client is waited for, in milliseconds; 0 is for ever.
   */
  constructor(source, prefix, expires, timeout) {
    this.#source = source;
    this.#prefix = prefix;
    this.#expires = expires;
    this.#timeout = timeout;
  }

  get PREFIX() {
    return this.#prefix;
  }

  get EXPIRES() {
    return this.#expires === NEVER ? null : this.#expires;
  }

  get type() {
    return this.#source.type;
  }

  get [WRAPPED]() {
    return { client: this.#source.client, prefix: this.#prefix, expires: this.#expires, timeout: this.#timeout };
  }

  /** @param {string} key */
  async get(key) {
    return this.#lookUp(Method.get, keyText(key));
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  async set(key, value, options) {
    return this.#write(Method.set, keyText(key), value, options);
  }

  /**
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  async add(value, options) {
    return this.#write(Method.add, "", value, options);
  }

  /** @param {string} key */
  async has(key) {
    return this.#lookUp(Method.has, keyText(key));
  }

  /** @param {string} key */
  async del(key) {
    const text = keyText(key);
    return this.#perform(new Task(Method.del, text, this.#prefix + text));
  }

  async keys() {
    return this.#perform(new Listing(Method.list, this.#prefix));
  }

  async values() {
    return this.#perform(new Listing(Method.list, this.#prefix, "values", valueOnly));
  }

  async entries() {
    return this.#perform(new Listing(Method.list, this.#prefix, "entries", entry));
  }

  async all() {
    return Object.fromEntries(await this.entries());
  }

  async *[Symbol.asyncIterator]() {
    const connection = this.#source.connection ?? (await this.#source.whenOpen((opened) => opened, this.#timeout));
    yield* stream(connection, new Listing(Method.list, this.#prefix, "stream", entry), this.#timeout);
  }

  async clear() {
    return this.#perform(new Listing(Method.clear, this.#prefix));
  }

  async prune() {
    return this.#perform(new Listing(Method.prune, this.#prefix));
  }

  async close() {
    // A second call waits for the first.
    return this.#source.connection?.closing ?? this.#perform(new Task(Method.close, "", ""));
  }

  /** @param {string} [prefix] */
  prefix(prefix = "") {
    return new Store(this.#source, this.#prefix + keyText(prefix, "prefix"), this.#expires, this.#timeout);
  }

  /** @param {number | string | null} [expires] */
  expires(expires = null) {
    return new Store(this.#source, this.#prefix, seconds(expires), this.#timeout);
  }

  /**
   * @param {number} method
   * @param {string} key
   */
  #lookUp(method, key) {
    const { connection } = this.#source;
    const id = this.#prefix + key;
    const timeout = this.#timeout;
    return connection
      ? lookUp(connection, method, key, id, timeout)
      : this.#source.whenOpen((opened) => lookUp(opened, method, key, id, timeout), timeout);
  }

  /** @param {Task} task */
  #perform(task) {
    const { connection } = this.#source;
    const timeout = this.#timeout;
    return connection
      ? perform(connection, task, timeout)
      : this.#source.whenOpen((opened) => perform(opened, task, timeout), timeout, task.method === Method.close);
  }

  /**
   * @param {number} method
   * @param {string} key
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  #write(method, key, value = null, options = undefined) {
    const { prefix = this.#prefix, expires = this.#expires } = readOptions(options);
    const { connection } = this.#source;
    if (connection === null) return this.#writeLater(method, prefix, key, value, expires);
    const stored = connection.client.copies === "identity" ? value : copyValue(value);
    return perform(connection, new Writing(method, key, prefix + key, stored, expires), this.#timeout);
  }

  /**
   * @param {number} method
   * @param {string} prefix
   * @param {string} key
   * @param {unknown} value
   * @param {number} expires
   */
  #writeLater(method, prefix, key, value, expires) {
    // Copied now, for the user may change it before the client is open; only then is it known whether the copy counts.
    const copy = attempt(() => copyValue(value));
    return this.#source.whenOpen((connection) => {
      const stored = connection.client.copies === "identity" ? value : copy();
      return perform(connection, new Writing(method, key, prefix + key, stored, expires), this.#timeout);
    }, this.#timeout);
  }
}

/**
 * Does something now, and lets its result or its error be had later.
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

// `keys.map(store.del)` works: a method is bound to its store when it is first taken from it. Binding all of them when a
// store is made would cost each sub-store 1 KB.
for (const name of Reflect.ownKeys(Store.prototype)) {
  const { value: method } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(Store.prototype, name));
  if (typeof method !== "function" || name === "constructor") continue;
  Object.defineProperty(Store.prototype, name, {
    configurable: true,
    /** @this {Store} */
    get() {
      if (this === Store.prototype) return method;
      const bound = method.bind(this);
      if (Object.isExtensible(this)) {
        Object.defineProperty(this, name, { value: bound, configurable: true, writable: true });
      }
      return bound;
    },
  });
}
