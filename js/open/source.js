import { examples } from "#clients";
import { Custom } from "../clients/custom.js";
import { knownClients } from "./known_clients.js";
import { Connection } from "../core/connection.js";
import { NEVER, requireCore } from "../core/core.js";
import { clientError, PolystoreTypeError, show } from "../support/errors.js";
import { ticks } from "#ticks";
import { inTime, isPromise } from "../support/promise.js";
import { shared } from "../support/shared.js";

/** @typedef {import("../core/client.js").Client} Client */
/** @typedef {import("../core/client.js").Durability} Durability */

/** Where every copy of this package finds what a store wraps. */
export const WRAPPED = Symbol.for("polystore-wasm.wrapped");

/**
 * What a store wraps. Its expiry and its timeout, in milliseconds, are undefined where a promise of another store decides; an
 * older copy of this package has no timeout.
 * @typedef {{ client: unknown, prefix: string, expires?: number, timeout?: number }} Wrapped
 */

/**
 * @param {any} client What the user gave to `kv()`, or a promise resolved with.
 * @returns {Wrapped}
 */
export function unwrap(client) {
  return client?.[WRAPPED] ?? { client, prefix: "", expires: isPromise(client) ? undefined : NEVER };
}

/** @typedef {{ begin: (connection: Connection) => void, reject: (error: unknown) => void, closes?: boolean }} Waiting */

/** What a client of the user's is closed by. One that has none of these outlives its stores. */
const ENDS = ["close", "end", "quit"];

/** Where a store gets its connection from: at once where the client is ready, else when it is. */
export class Source {
  /** How many kv() have it and were not closed. */
  users = 0;
  /** What the stores over a promise do when that resolves. @type {((under: Wrapped, inner: Source) => void)[] | undefined} */
  stores;
  /** The source of what the promise resolved with. @type {Source | undefined} */
  inner;
  /** @type {Connection | null} */
  #connection = null;
  #open;
  #isOpening = false;
  /** What is to begin when the client is open, in its order. @type {Set<Waiting>} */
  #waiting = new Set();

  /**
   * @param {unknown} client What the user gave, or the instance of it if that was a class.
   * @param {string} type What `store.type` says.
   * @param {() => Connection | Promise<Connection>} open Tried once by `begin`, and after a failure again when needed.
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

  /** Null until the client is open. */
  get connection() {
    return this.#connection;
  }

  /** Ends one kv(). @returns Whether the client ends with it: it was given and can be closed, or nobody else uses it. */
  release() {
    const client = /** @type {any} */ (this.client);
    const isGiven = typeof client !== "string" && ENDS.some((name) => typeof client[name] === "function");
    return --this.users < 1 || isGiven;
  }

  /** Resolves when what is under way on the client now has ended. */
  async underWay() {
    // Where it cannot be opened, that is nothing.
    await (this.#isOpening ? this.whenOpen((opened) => opened.turn(), 0).catch(() => {}) : this.connection?.turn());
  }

  /**
   * What takes the place of this source in a kv() that was closed.
   * @param {Promise<void>} closing
   */
  closed(closing) {
    const source = new Source(this.client, this.type, this.#open);
    source.#connection = new Connection(/** @type {any} */ ({ traits: { type: this.type, can: [] } }));
    source.#connection.drain();
    source.#connection.closing = closing;
    return source;
  }

  /** For a promise that has resolved: see below. */
  adopt() {}

  /** Opens the client, or begins to. */
  begin() {
    const opened = this.#attempt();
    if (opened instanceof Connection) this.#connection = opened;
    else this.#settle(opened); // If it fails, the first call tries again.
  }

  /**
   * Begins something when the client is open, which is opened if it is not being opened.
   * @template Result
   * @param {(connection: Connection) => Result | PromiseLike<Result>} begin
   * @param {number} [timeout] How long to wait, in milliseconds; 0 is for ever. What is late is not begun.
   * @param {boolean} [closes] Then nothing is opened for it, and it is begun as well where nothing can be opened.
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
        // What is opened after all is closed then.
        if (closes) this.end?.();
        else this.#waiting.delete(waiting);
        return this.#error(error);
      },
    );
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
      this.type = connection.type; // Of what was opened, which may be what the client falls back to.
      this.adopt();
    } catch (error) {
      failure = this.#error(error);
    }
    // All of them, before a call that is made now can see that the client is open.
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
 * @param {unknown} input What the user gave to `kv()`.
 * @param {Durability} [durability] Undefined for what the client is open with, or "relaxed".
 * @returns {Source}
 * @throws {PolystoreTypeError} ERR_CLIENT if it is nothing that can be wrapped; ERR_OPTIONS where its durability is not to be
 *   chosen, or was chosen otherwise.
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
  // Known before it is opened: a client may wrap itself in its own connect().
  known.set(client, source);
  return begun(source);
}

/**
 * One name for what has several, so that all of its stores share a connection.
 * @param {any} input
 */
function canonical(input) {
  if (input === "cookies") return "cookie";
  // Without a slash it would be a path relative to nobody knows what.
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
    throw clientError(`Making a client of ${show(type)}`, error);
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
    ? `Another store has this ${type} open with durability "${durability}": give the same.`
    : `${type} has no durability to choose: leave it out.`;
  throw new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * @param {any} input
 * @param {Durability} [durability]
 * @param {Promise<void> | null} [closing] What has to end first.
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

/** A client that will be there later: its stores become those of what the promise resolves with. */
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
      ++inner.users; // Before the next kv() over the same client can close that.
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
 * What is opened, unless that is still waited for when process.nextTick() is real again.
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
    ? "Give it a client for that."
    : `Give it a Map, ${examples}, or an object or a class with get() and set(); kv() is a store in memory.`;
  const message = `kv() cannot wrap ${shown}. ${hint}`;
  return new PolystoreTypeError("ERR_CLIENT", message);
}
