import { abandon, answer, answerPage, Ask, ASK_BITS, Method, NEVER } from "../core/core.js";
import { PAGE_LENGTH, pageExpires, pageLives, pageVerdicts, Verdict } from "../core/core.js";
import { answerOf, begin, conclude, fail, isCleared, lookUp, perform, run, stream } from "../core/driver.js";
import { Listing, Task, Thrown, Writing } from "../core/task.js";
import { attempt } from "../support/attempt.js";
import { PolystoreError } from "../support/errors.js";
import { requireAtomic } from "./atomicity.js";
import { inTurn, keysOf, missingValue, pairsOf } from "./many.js";
import { Watching } from "./watch.js";
import { isSliding, keyText, readBounds, readOptions, seconds } from "./options.js";
import { WRAPPED } from "../support/wrapped.js";
import { copyStored, copyValue } from "../values/plain.js";

/** @typedef {import("../open/source.js").Source} Source */
/** @typedef {import("../core/connection.js").Connection} Connection */

/**
 * What one `kv()` shares with its sub-stores: the source, until `close()` replaces it by a closed one, and whom a change has to keep out.
 * @typedef {{ source: Source, atomic?: import("../core/client.js").Atomicity, onClose?: () => void }} Life
 */

const SELF = Symbol("self");

/** The methods that are downloaded when one of them is called for the first time. @type {typeof import("./on_demand.js") | undefined} */
let onDemand;
/** What they need of this module's bundle; their own bundle must not have a second copy. */
const tools = {
  core: {
    abandon,
    answer,
    answerPage,
    Ask,
    ASK_BITS,
    Method,
    NEVER,
    PAGE_LENGTH,
    pageExpires,
    pageLives,
    pageVerdicts,
    Verdict,
  },
  driver: { answerOf, begin, conclude, fail, isCleared, run },
  Thrown,
  keyText,
  readBounds,
  readOptions,
  seconds,
};

/** Loads the methods. If that fails, the calls that wait for them reject, and the next call tries again. @type {Promise<unknown> | undefined} */
let loading;
const load = () =>
  (loading ??= import("./on_demand.js").then(
    (module) => (onDemand = module),
    () => (loading = undefined),
  ));

/** The same for watch(). @type {typeof import("./watching.js") | undefined} */
let watching;
/** @type {Promise<unknown> | undefined} */
let loadingWatching;
const loadWatching = () =>
  (loadingWatching ??= import("./watching.js").then(
    (module) => (watching = module),
    () => (loadingWatching = undefined),
  ));

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
  /** The life that a read renews, in seconds; 0 if it renews none. */
  #renewed;

  /**
   * @param {Life} life
   * @param {string} prefix
   * @param {number} [expires] Seconds, or NEVER. Undefined over a promise, whose store then decides.
   * @param {number} [timeout] How long to wait for an answer of the client, in milliseconds; 0 means no limit.
   * @param {number} [renewed] The life that a read renews, in seconds; 0 if it renews none.
   */
  constructor(life, prefix, expires, timeout, renewed = 0) {
    this.#life = life;
    this.#prefix = prefix;
    this.#expires = expires;
    this.#timeout = timeout;
    this.#renewed = renewed;
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

  get atomic() {
    return this[SELF]().#life.source.connection?.client.traits.atomic ?? null;
  }

  get [WRAPPED]() {
    const store = this[SELF]();
    const { client } = store.#life.source;
    return { client, prefix: store.#prefix, expires: store.#expires, timeout: store.#timeout, life: store.#life };
  }

  /** @param {string} key */
  get = async (key) => this.#lookUp(Method.get, keyText(key));

  /** @param {string} key */
  has = async (key) => this.#lookUp(Method.has, keyText(key));

  /** @param {string} key */
  del = async (key) => this.#perform(new Task(Method.del, keyText(key), ""));

  /** @param {string} key */
  ttl = async (key) => this.#perform(new Task(Method.ttl, keyText(key), ""));

  /** @param {unknown} keys */
  getMany = async (keys) => inTurn("getMany", keysOf("getMany", keys), (key) => this.get(key));

  /** @param {unknown} keys */
  hasMany = async (keys) => inTurn("hasMany", keysOf("hasMany", keys), (key) => this.has(key));

  /** @param {unknown} keys */
  delMany = async (keys) => {
    const texts = keysOf("delMany", keys);
    return this.#performAll("delMany", () => texts.map((key) => new Task(Method.del, key, "")));
  };

  /**
   * @param {unknown} entries
   * @param {import("./options.js").Options} [options]
   */
  setMany = async (entries, options) => {
    const { prefix, expires } = readOptions(options);
    // As in #write(), the values are copied now, and whether the copies are needed is known later.
    const all = pairsOf(entries).map(([key, value = null]) => ({ key, value, copy: attempt(() => copyValue(value)) }));
    return this.#performAll(
      "setMany",
      ({ copies }) =>
        all.map(
          ({ key, value, copy }) =>
            new Writing(Method.set, key, "", copies === "identity" ? value : copy(), expires ?? this.#expires ?? NEVER),
        ),
      prefix,
    );
  };

  // Each is a property of its own: assigning them in a loop makes a sub-store cost 1 µs.
  entry = async (/** @type {any[]} */ ...args) => this.#onDemand("entry", args);
  update = async (/** @type {any[]} */ ...args) => this.#onDemand("update", args);
  incr = async (/** @type {any[]} */ ...args) => this.#onDemand("incr", args);
  setIfAbsent = async (/** @type {any[]} */ ...args) => this.#onDemand("setIfAbsent", args);
  cas = async (/** @type {any[]} */ ...args) => this.#onDemand("cas", args);
  take = async (/** @type {any[]} */ ...args) => this.#onDemand("take", args);
  touch = async (/** @type {any[]} */ ...args) => this.#onDemand("touch", args);
  batch = async (/** @type {any[]} */ ...args) => this.#onDemand("batch", args);
  page = async (/** @type {any[]} */ ...args) => this.#onDemand("page", args);

  watch = (/** @type {any[]} */ ...args) => new Watching(this.#watch(args), args);

  /** @param {unknown} [range] */
  keys = async (range) => this.#perform(new Listing(Method.list, "", "keys", undefined, readBounds(range)));

  /** @param {unknown} [range] */
  values = async (range) => this.#perform(new Listing(Method.list, "", "values", valueOnly, readBounds(range)));

  /** @param {unknown} [range] */
  entries = async (range) => this.#perform(new Listing(Method.list, "", "entries", entry, readBounds(range)));

  /** @param {unknown} [range] */
  all = async (range) => Object.fromEntries(await this.entries(range));

  /** @param {unknown} [range] */
  size = async (range) => this.#perform(new Listing(Method.size, "", "keys", undefined, readBounds(range)));

  /** @param {unknown} [range] */
  range = (range) => this.#iterate(readBounds(range));

  [Symbol.asyncIterator] = () => this.#iterate();

  /** @param {unknown} [range] */
  clear = async (range) => this.#perform(new Listing(Method.clear, "", "keys", undefined, readBounds(range)));

  prune = async () => this.#perform(new Listing(Method.prune, ""));

  close = async () => {
    const life = this.#life;
    life.onClose?.();
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

  /** @param {string} prefix */
  prefix = (prefix) =>
    new Store(this.#life, this.#prefix + keyText(prefix, "prefix"), this.#expires, this.#timeout, this.#renewed);

  /**
   * @param {number | string | null} expires
   * @param {{ sliding?: boolean }} [options]
   */
  expires = (expires, options = undefined) => {
    const life = seconds(expires);
    return new Store(this.#life, this.#prefix, life, this.#timeout, isSliding(options) && life !== NEVER ? life : 0);
  };

  /** @param {import("./options.js").Bounds} [bounds] */
  #iterate(bounds) {
    const records = this.#records(bounds);
    const iteration = iterationOf(records);
    abandoned?.register(iteration, records);
    return iteration;
  }

  /** @param {import("./options.js").Bounds} [bounds] */
  async *#records(bounds) {
    const life = this.#life;
    const begin = (/** @type {Connection} */ opened) =>
      stream(opened, new Listing(Method.list, this.#prefix, "stream", entry, bounds), this.#timeout, () =>
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
    const { source, atomic } = this.#life;
    // Nearly all calls go this way, so it makes no function.
    if (source.connection && !atomic && this.#renewed === 0)
      return lookUp(source.connection, method, key, this.#prefix + key, this.#timeout);
    const life = method === Method.get ? this.#renewed : 0;
    return this.#whenOpen((connection) =>
      lookUp(connection, method, key, this.#prefix + key, this.#timeout, life, (...read) => this.#renew(...read)),
    );
  }

  /**
   * Calls a method that is loaded on demand.
   * @param {string} name
   * @param {any[]} args
   */
  #onDemand(name, args) {
    const { source } = this.#life;
    // The values among the arguments are copied now, because the user may change them before the method is loaded and the client open.
    const copies = onDemand && source.connection ? args : args.map(copyStored);
    if (!onDemand) source.holdFor(load());
    return this.#whenOpen((connection) => {
      if (!onDemand) throw notLoaded(name);
      const change = (/** @type {import("./changes.js").Call} */ call) => this.#change(connection, call);
      const list = (/** @type {import("./options.js").Bounds} */ bounds) =>
        perform(connection, new Listing(Method.list, this.#prefix, "entries", entry, bounds), this.#timeout);
      const { hasPlaces } = connection.client.traits;
      const host = { perform: change, list, hasPlaces, store: this, ...tools };
      return /** @type {any} */ (onDemand.methods)[name](host, ...copies);
    }, !onDemand);
  }

  /** @param {any[]} args */
  async #watch(args) {
    if (!watching) this.#life.source.holdFor(loadWatching());
    return this.#whenOpen((connection) => {
      if (!watching) throw notLoaded("watch");
      return watching.watch(
        { ...tools, connection, life: this.#life, prefix: this.#prefix, timeout: this.#timeout },
        args,
      );
    }, !watching);
  }

  /**
   * @param {Connection} connection
   * @param {import("./changes.js").Call} call
   */
  #change(connection, { name, keys, choose, result, renews = false }) {
    const { Changing, performChange } = /** @type {typeof import("./on_demand.js")} */ (onDemand);
    const parts = keys.map(({ key, prefix = this.#prefix, life = this.#expires ?? NEVER, ...rest }) => ({
      id: prefix + key,
      life,
      ...rest,
    }));
    const task = new Changing(tools.core, name, parts, renews, choose, result);
    return performChange(tools, connection, task, this.#timeout);
  }

  /**
   * Renews the life of a value that was read. If that fails, the next read tries again.
   * @param {Connection} connection
   * @param {string} id
   */
  async #renew(connection, id) {
    const key = { key: id, prefix: "", life: this.#renewed };
    try {
      if (!onDemand) await load();
      await this.#change(connection, {
        name: "touch",
        keys: [key],
        renews: true,
        choose: ([{ value }]) => [value ?? undefined],
        result: () => undefined,
      });
    } catch {
      // The read that came before has succeeded, and says nothing about the expiry.
    }
  }

  /** @param {Task} task */
  #perform(task) {
    return this.#whenOpen((connection) => {
      task.id = this.#prefix + task.key;
      return perform(connection, task, this.#timeout);
    });
  }

  /**
   * Makes several calls in their order. If a key cannot be stored, none of them is made.
   * @param {string} name The method, for messages.
   * @param {(connection: Connection) => Task[]} make
   * @param {string} [prefix]
   */
  #performAll(name, make, prefix) {
    return this.#whenOpen((connection) => {
      const tasks = make(connection);
      for (const task of tasks) {
        task.id = (prefix ?? this.#prefix) + task.key;
        connection.client.checkKey?.(task.id);
      }
      return inTurn(name, tasks, async (task) => perform(connection, task, this.#timeout));
    });
  }

  /**
   * Begins a call once the client is open.
   * @param {(connection: Connection) => any} begin
   * @param {boolean} [waits] True if the call waits for more than the client, see Source.holdFor().
   * @returns {any}
   * @throws {PolystoreError} ERR_UNSUPPORTED if the client keeps fewer writers out than the option `atomic` requires.
   */
  #whenOpen(begin, waits = false) {
    const { source, atomic } = this.#life;
    const beginAtomic = (/** @type {Connection} */ connection) => {
      if (atomic) requireAtomic(connection, atomic);
      return begin(connection);
    };
    return source.connection && !waits ? beginAtomic(source.connection) : source.whenOpen(beginAtomic, this.#timeout);
  }

  /**
   * @param {number} method
   * @param {string} key
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  #write(method, key, value = null, options = undefined) {
    const { prefix, expires } = readOptions(options);
    const { source, atomic } = this.#life;
    if (source.connection && !atomic) return this.#writeNow(source.connection, method, prefix, key, value, expires);
    // The value is checked and copied now, because the user may change it before the client is open. Whether the copy is needed is
    // known only then.
    const copy = attempt(() => copyValue(value));
    return this.#whenOpen((opened) => {
      const given = opened.copies === "identity" ? value : copy();
      return this.#writeNow(opened, method, prefix, key, given, expires);
    });
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

/** @param {string} name */
const notLoaded = (name) =>
  new PolystoreError("ERR_CLIENT", `The code of ${name}() could not be downloaded. Try again.`);
