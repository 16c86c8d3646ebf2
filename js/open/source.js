import { examples } from "#clients";
import { Custom } from "../clients/custom.js";
import { knownClients } from "./known_clients.js";
import { Connection } from "../core/connection.js";
import { NEVER, requireCore } from "../core/core.js";
import { clientError, PolystoreTypeError, show } from "../support/errors.js";
import { ticks } from "#ticks";
import { inTime } from "../support/in_time.js";
import { isPromise } from "../support/promise.js";
import { shared } from "../support/shared.js";
import { WRAPPED } from "../support/wrapped.js";

/** @typedef {import("../core/client.js").Client} Client */
/** @typedef {import("../core/client.js").Durability} Durability */

/**
 * The client of a store with the store's settings: `expires` in seconds, `timeout` in milliseconds. They are undefined over a promise,
 * which may resolve with a store that decides them. A store of an older copy of this package has no timeout.
 * @typedef {{ client: unknown, prefix: string, expires?: number, timeout?: number }} Wrapped
 */

/**
 * Returns the client and the settings of a store, or the settings of a new store over any other client.
 * @param {any} client The argument of `kv()`, or the result of a promise.
 * @returns {Wrapped}
 */
export function unwrap(client) {
  return client?.[WRAPPED] ?? { client, prefix: "", expires: isPromise(client) ? undefined : NEVER };
}

/** @typedef {{ begin: (connection: Connection) => void, reject: (error: unknown) => void, closes?: boolean }} Waiting */

/** The methods that close a client of the user. A client without any of them outlives its stores. */
const ENDS = ["close", "end", "quit"];

/** The source of a store's connection: it opens the client, and has the connection once the client is open. */
export class Source {
  /** The number of kv() calls that use this source and were not closed. */
  users = 0;
  /** Over a promise: what each store does once the promise has resolved. @type {((under: Wrapped, inner: Source) => void)[] | undefined} */
  stores;
  /** Over a promise: the source of the client that it resolved with. @type {Source | undefined} */
  inner;
  /** @type {Connection | null} */
  #connection = null;
  #open;
  #isOpening = false;
  /** Settles when a module that the waiting calls need is loaded. @type {Promise<unknown> | undefined} */
  #loading;
  /** The calls that begin once the client is open, in their order. @type {Set<Waiting>} */
  #waiting = new Set();

  /**
   * @param {unknown} client The user's client, or the instance if the user passed a class.
   * @param {string} type The value of `store.type`.
   * @param {() => Connection | Promise<Connection>} open Called once by `begin`, and after a failure again by the next call.
   * @param {Durability} [durability]
   * @param {(isOpening?: boolean) => unknown} [end] The `End` of the client.
   */
  constructor(client, type, open, durability, end) {
    this.client = client;
    this.type = type;
    this.durability = durability;
    this.#open = open;
    this.end = end;
  }

  /** The connection, or null until the client is open. */
  get connection() {
    return this.#connection;
  }

  /**
   * Ends one kv().
   * @returns True if the client ends with it: it has no other users, or it is an object that can be closed.
   */
  release() {
    const client = /** @type {any} */ (this.client);
    const isGiven = typeof client !== "string" && ENDS.some((name) => typeof client[name] === "function");
    return --this.users < 1 || isGiven;
  }

  /** Resolves when the calls that are pending on the client now have ended. */
  async underWay() {
    // A client that cannot be opened has no pending calls.
    await (this.#isOpening ? this.whenOpen((opened) => opened.turn(), 0).catch(() => {}) : this.connection?.turn());
  }

  /**
   * Returns the source that replaces this one in a kv() that was closed.
   * @param {Promise<void>} closing
   */
  closed(closing) {
    const source = new Source(this.client, this.type, this.#open);
    source.#connection = new Connection(/** @type {any} */ ({ traits: { type: this.type, can: [] } }));
    source.#connection.drain();
    source.#connection.closing = closing;
    return source;
  }

  /** Called once the client is open; see PromisedSource. */
  adopt() {}

  /** Opens the client, or begins to open it. */
  begin() {
    const opened = this.#attempt();
    if (opened instanceof Connection) this.#connection = opened;
    else this.#settle(opened); // If it fails, the first call tries again.
  }

  /**
   * Begins a call once the client is open. Opens the client unless it is being opened already.
   * @template Result
   * @param {(connection: Connection) => Result | PromiseLike<Result>} begin
   * @param {number} [timeout] How long to wait, in milliseconds; 0 means no limit. A call that is late does not begin.
   * @param {boolean} [closes] True for a close(). It does not open the client, and begins even if the client cannot be opened.
   * @returns {Promise<Result>}
   */
  whenOpen(begin, timeout = 0, closes = false) {
    /** @type {Waiting} */
    let waiting;
    return inTime(
      (resolve, reject) => {
        waiting = { closes, reject, begin: (connection) => resolve(begin(connection)) };
        this.#waiting.add(waiting);
        if (!this.#isOpening) this.#settle(closes ? Promise.reject() : this.#attempt());
        else if (closes) this.end?.(true);
      },
      timeout,
      (error) => {
        // If the client opens after all, a close() still closes it.
        if (closes) this.end?.();
        else this.#waiting.delete(waiting);
        return this.#error(error);
      },
    );
  }

  /**
   * Lets all calls from now on wait until a module is loaded, so that they begin in the order in which they were made.
   * @param {Promise<unknown>} loading Must not reject.
   */
  holdFor(loading) {
    this.#loading = loading;
    const connection = this.#connection;
    if (!connection) return; // The calls wait until the client is open, and then for the module.
    this.#connection = null;
    this.#settle(connection);
  }

  #attempt() {
    try {
      return this.#open();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {Connection | Promise<Connection>} opened */
  async #settle(opened) {
    this.#isOpening = true;
    /** @type {Connection | null} */
    let connection = null;
    /** @type {unknown} */
    let failure;
    try {
      connection = await (ticks?.areFake() ? whileTicksAreFake(opened) : opened);
      this.type = connection.type; // The client may have fallen back to another one.
      this.adopt();
      await this.#loading;
    } catch (error) {
      failure = this.#error(error);
    }
    // Begin all of them before a new call can see that the client is open, to keep the order.
    for (const { closes, reject, begin } of this.#waiting) {
      try {
        if (closes)
          connection ??= new Connection(/** @type {any} */ ({ traits: { type: this.type, can: [] }, close: this.end }));
        if (!connection) throw failure;
        begin(connection);
      } catch (error) {
        reject(error);
      }
    }
    this.#waiting.clear();
    this.#isOpening = false;
    this.#connection = connection;
  }

  /** @param {unknown} error */
  #error(error) {
    return clientError(`Opening the ${this.type} client`, error);
  }
}

/**
 * Returns the source of a client. All stores over one client share a source.
 * @param {unknown} input The argument of `kv()`.
 * @param {Durability} [durability] Without it, the durability with which the client is already open, or "relaxed".
 * @returns {Source}
 * @throws {PolystoreTypeError} ERR_CLIENT if the input cannot be wrapped; ERR_OPTIONS if the client has no durability, or is open
 *   with another one.
 */
export function sourceOf(input, durability) {
  requireCore();
  if (isPromise(input)) return begun(new PromisedSource(input, durability));
  if (isClass(input)) return sourceOf(instantiate(input), durability);
  const client = canonical(input);
  const known = /** @type {WeakMap<any, Source>} */ (typeof client === "string" ? shared.namedSources : shared.sources);
  const open = known.get(client);
  if (open && !open.connection?.closed) {
    requireDurability(open, durability);
    return open;
  }
  const source = makeSource(client, durability, open?.connection?.closing);
  requireDurability(source, durability);
  // Register the source before opening it, because a client may wrap itself in its own connect().
  known.set(client, source);
  return begun(source);
}

/**
 * Returns one name for a client that has several, so that all of its stores share a connection.
 * @param {any} input
 */
function canonical(input) {
  if (input === "cookies") return "cookie";
  // Without a slash, a file URL would be relative to an unknown folder.
  if (typeof input === "string" ? !/^(file|https?):\//i.test(input) : !(input instanceof URL)) return input;
  try {
    return new URL(input).href;
  } catch {
    return input; // URL.canParse() is newer than the oldest engines: see web-tests/node/oldest_engines.test.js.
  }
}

/** @param {Source} source */
function begun(source) {
  source.begin();
  return source;
}

/** @param {new () => unknown} type */
function instantiate(type) {
  try {
    return new type();
  } catch (error) {
    throw clientError(`Constructing a client with ${show(type)}`, error);
  }
}

/**
 * @param {Source} source
 * @param {Durability} [wanted]
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function requireDurability({ type, durability }, wanted = durability) {
  if (wanted === durability) return;
  const message = durability
    ? `This ${type} is already open with durability "${durability}". Pass the same durability, or close its stores first.`
    : `The option durability does not apply to ${type}. Leave it out.`;
  throw new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * @param {any} input
 * @param {Durability} [durability]
 * @param {Promise<void> | null} [closing] An earlier close() of the client, which has to end before the client is opened.
 */
function makeSource(input, durability = "relaxed", closing = undefined) {
  if (input === undefined || input === null) throw unknownClient(input);
  /** @param {() => Connection | Promise<Connection>} open */
  const afterwards = (open) => () => (closing ? closing.then(open, open) : open());
  const known = knownClients.find(({ recognizes }) => recognizes(input));
  if (known?.makeSource) return known.makeSource({ Source }, input);
  if (known)
    return new Source(
      input,
      known.type,
      afterwards(() => connect(known.open(input, durability))),
      known.isDurable ? durability : undefined,
      (isOpening) => known.end?.(input, isOpening),
    );
  if (typeof input.get !== "function" || typeof input.set !== "function") throw unknownClient(input);
  const custom = new Custom(input);
  const open = () => {
    const connecting = custom.connect();
    return connect(isPromise(connecting) ? connecting.then(() => custom) : custom);
  };
  return new Source(input, custom.traits.type, afterwards(open));
}

/**
 * @param {Client | PromiseLike<Client>} client
 * @returns {Connection | Promise<Connection>}
 */
function connect(client) {
  return isPromise(client) ? Promise.resolve(client).then((opened) => new Connection(opened)) : new Connection(client);
}

/** The source of a promise. Its stores become stores over the client that the promise resolves with. */
class PromisedSource extends Source {
  /** @type {((under: Wrapped, inner: Source) => void)[]} */
  stores = [];
  /** @type {Wrapped} */
  #under = unwrap(undefined);

  /**
   * @param {PromiseLike<unknown>} promise
   * @param {Durability} [durability]
   */
  constructor(promise, durability) {
    const open = async () => {
      this.#under = unwrap(await promise);
      const inner = (this.inner = sourceOf(this.#under.client, durability));
      ++inner.users; // Count this user now, so that closing another kv() over the same client does not close it.
      try {
        return inner.connection ?? (await inner.whenOpen((opened) => opened));
      } catch (error) {
        --inner.users;
        throw error;
      }
    };
    super(promise, "PROMISE", open, durability, (isOpening) => this.inner?.end?.(isOpening));
  }

  adopt() {
    for (const adopt of this.stores) adopt(this.#under, /** @type {Source} */ (this.inner));
  }
}

/**
 * Waits for a client that is being opened. Rejects if it is still not open some time after process.nextTick() is real again.
 * @param {Connection | Promise<Connection>} opened
 * @returns {Promise<Connection>}
 */
function whileTicksAreFake(opened) {
  return inTime(
    (resolve, reject) => Promise.resolve(opened).then(resolve, reject),
    undefined,
    (error) => error,
  );
}

/**
 * @param {any} input
 * @returns {input is new () => unknown}
 */
function isClass(input) {
  // The methods of a class may be fields, which show only on an instance.
  return typeof input === "function" && /^class\b/.test(Function.prototype.toString.call(input));
}

/** @param {unknown} input */
function unknownClient(input) {
  const shown = show(input);
  const hint = /^"(?!file)[\w+.-]+:\/\//.test(shown)
    ? "Pass a client object, for example createClient() of the package redis."
    : `Pass a Map, ${examples}, or an object or a class with get() and set(). kv() without arguments stores in memory.`;
  const message = `kv() cannot wrap ${shown}. ${hint}`;
  return new PolystoreTypeError("ERR_CLIENT", message);
}
