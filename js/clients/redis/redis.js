import { PolystoreTypeError } from "../../support/errors.js";
import { hasMethods } from "../../support/has.js";
import { RedisCluster } from "./cluster.js";
import { argumentsOf, commitAll, nothingIfNoText, readWithLife } from "./commands.js";
import { Scripts, setArguments, setError, toRecord, toRecordWithLife } from "./commands.js";
import { Gathered } from "./gathered.js";
import { list } from "./listing.js";
import { isPut, onlyChange, outcomesOf } from "../../support/commits.js";
import { requireText } from "../../support/text_key.js";

/**
 * A connection of node-redis or ioredis. Both send the commands of one tick in order, without waiting for the replies in between.
 * @typedef {object} Connection
 * @property {string} keyPrefix The client's own key prefix. `call` adds it to every key.
 * @property {(name: string, keys: string[], ...args: string[]) => Promise<any>} call
 * @property {(command: "EVAL" | "EVALSHA", script: string, keys: string[], args: string[]) => Promise<any>} evaluate
 * @property {() => number} [losses] How often the connection was lost. Only for a client that then sends unanswered commands again.
 * @property {() => unknown} close
 * @property {() => void} [onClosing]
 * @property {() => void} [onTimeout]
 */

/** Requests replies as strings, whatever types the client is configured for. */
const AS_TEXT = { typeMapping: undefined };

/**
 * A client of the package `redis`.
 * @param {any} client
 * @param {boolean} isOpen True if it was open when it was passed to kv(). If its owner has closed it since then, it stays closed.
 */
export async function openNodeRedis(client, isOpen) {
  const isCluster = hasMethods(client, "nodeClient");
  // The results of createClientPool() and createSentinel() lack select().
  if (!isCluster && !hasMethods(client, "select")) throw notOneConnection();
  // In version 4, the methods of such a client only take callbacks.
  if (client.options?.legacyMode) throw inLegacyMode();
  if (!isOpen) await client.connect();
  else if (client.options?.disableOfflineQueue && client.isReady === false) await untilReady(client);
  listenToErrors(client);
  if (isCluster) return nodeRedisCluster(client);
  const keyPrefix = client.options?.keyPrefix ?? "";
  return new Redis({
    keyPrefix,
    // The client's own methods would add the prefix, but their names differ between its versions.
    call: (name, keys, ...args) => client.sendCommand([name, ...keys.map((key) => keyPrefix + key), ...args], AS_TEXT),
    evaluate: (command, script, keys, args) =>
      client.sendCommand(
        [command, script, String(keys.length), ...keys.map((key) => keyPrefix + key), ...args],
        AS_TEXT,
      ),
    onClosing: () => client.isOpen && endNodeRedis(client, true),
    close: () => closeNodeRedis(client),
  });
}

/**
 * A key in the same slot as the empty key. node-redis treats the empty key as a missing key: it asks a random server, retries with
 * another one if that is wrong, and finally fails. With three servers, version 4 fails in 4 % of such calls.
 */
const LIKE_THE_EMPTY_KEY = "06S";

/** @param {any} client */
function nodeRedisCluster(client) {
  const keyPrefix = client._keyPrefix ?? "";
  return new RedisCluster({
    keyPrefix,
    // Reads go to the master, because a replica may return an old value.
    call(name, key, ...args) {
      const id = keyPrefix + key;
      return client.sendCommand(id || LIKE_THE_EMPTY_KEY, false, [name, id, ...args], AS_TEXT);
    },
    evaluate(command, script, keys, args) {
      const ids = keys.map((id) => keyPrefix + id);
      const message = [command, script, String(ids.length), ...ids, ...args];
      return client.sendCommand(ids[0] || LIKE_THE_EMPTY_KEY, false, message, AS_TEXT);
    },
    masters: async () => {
      const nodes = await Promise.all(client.masters.map((/** @type {any} */ master) => client.nodeClient(master)));
      return nodes.map(
        (node) =>
          (...command) =>
            node.sendCommand(command, AS_TEXT),
      );
    },
    close: () => closeNodeRedis(client),
  });
}

/**
 * @param {any} client
 * @param {boolean} [isOpening] True while the client connects: it is then ended only when an attempt to connect fails.
 */
export function endNodeRedis(client, isOpening) {
  const end = () => client.isOpen && (client.destroy ?? client.disconnect).call(client); // Versions before 5 have no destroy().
  if (isOpening) atEvent(client, "error", end);
  else end();
}

/** @param {any} client */
function closeNodeRedis(client) {
  if (!client.isOpen) return undefined; // Its owner closed it.
  return client.close ? client.close() : client.quit(); // Versions before 5 only have quit().
}

/**
 * A client of the package `ioredis`.
 * @param {any} client
 * @param {string} status The status of the client when it was passed to kv().
 */
export async function openIoRedis(client, status) {
  listenToErrors(client);
  // With any other status, the client is connected or connecting.
  if (["wait", "close", "end"].includes(status)) await connectIoRedis(client);
  else if (client.options.enableOfflineQueue === false && client.status !== "ready") await untilReady(client);
  const keyPrefix = client.options.keyPrefix ?? "";
  const ending = endingOf(client);
  /** @type {Connection["evaluate"]} */
  const evaluate = (command, script, keys, args) => client.call(command, script, keys.length, ...keys, ...args);
  const losses = lossesOf(client);
  if (!client.isCluster) {
    const call = (/** @type {string} */ name, /** @type {string[]} */ keys, /** @type {string[]} */ ...args) =>
      client.call(name, ...keys, ...args);
    return new Redis({ keyPrefix, call, evaluate, losses, ...ending });
  }
  return new RedisCluster({
    keyPrefix,
    call: (name, key, ...args) => client.call(name, key, ...args),
    evaluate,
    losses,
    async masters() {
      // The client knows no servers until it is connected. This call waits for the connection, or fails.
      if (client.status !== "ready") await client.call("EXISTS", "");
      return client.nodes("master").map(
        (/** @type {any} */ node) =>
          (/** @type {string[]} */ ...command) =>
            node.call(...command),
      );
    },
    ...ending,
  });
}

/**
 * Waits for a client that its owner is connecting: a client without an offline queue would refuse all calls meanwhile.
 * @param {any} client
 */
async function untilReady(client) {
  await new Promise((resolve, reject) => {
    const forget = () => {
      client.off("ready", onReady);
      client.off("error", onEnd);
      client.off("end", onEnd);
    };
    const onReady = () => resolve(forget());
    const onEnd = (/** @type {unknown} */ error = new Error("The client was closed while it was connecting.")) => {
      forget();
      reject(error);
    };
    client.on("ready", onReady);
    client.on("error", onEnd);
    client.on("end", onEnd);
  });
}

/**
 * Connects a client. connect() only rejects with "Connection is closed."; the event `error` has the reason.
 * @param {any} client
 */
async function connectIoRedis(client) {
  /** @type {unknown} */
  let reason;
  const listen = (/** @type {unknown} */ error) => (reason = error);
  client.on("error", listen);
  try {
    await client.connect();
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.off("error", listen);
  }
}

/**
 * @param {any} client
 * @param {boolean} [isOpening] True while the client connects: it is then ended only when an attempt to connect fails.
 */
export function endIoRedis(client, isOpening) {
  if (!isOpening) client.disconnect();
  else if (client.status === "reconnecting") tryOnceMore();
  else atEvent(client, "reconnecting", tryOnceMore);

  /** Makes the client reject the calls that wait for it, which it does only at the end of an attempt to connect. */
  function tryOnceMore() {
    client.disconnect();
    client.connect().catch(ignore);
  }
}

/**
 * Runs `act` at an event, unless the client ends before.
 * @param {any} client
 * @param {string} event
 * @param {() => void} act
 */
function atEvent(client, event, act) {
  client.once(event, act);
  client.once("end", () => client.off(event, act));
}

/**
 * @param {any} client
 * @returns {Pick<Connection, "onClosing" | "onTimeout" | "close">}
 */
function endingOf(client) {
  let isClosing = false;
  return {
    onClosing() {
      isClosing = true;
      if (client.status !== "end") endIoRedis(client, true); // The client would try to connect for ever.
    },
    onTimeout() {
      if (isClosing) endIoRedis(client);
    },
    async close() {
      if (client.status === "end") return; // Its owner closed it.
      const ended = new Promise((resolve) => client.once("end", resolve));
      const isLost = () => client.status !== "ready"; // The connection may end before the server's reply to QUIT arrives.
      await client.quit().catch((/** @type {unknown} */ error) => isLost() || Promise.reject(error));
      await ended; // The reply to QUIT usually arrives before the connection ends.
    },
  };
}

const ignore = () => {};

/**
 * Adds a listener for errors: without one, a lost connection would end the process. The pending calls reject with the error.
 * @param {any} client
 */
function listenToErrors(client) {
  client.off("error", ignore); // Remove the listener from before the client was closed.
  client.on("error", ignore);
}

/** How often a connection of each client of ioredis was lost. @type {WeakMap<object, number>} */
const lossCounts = new WeakMap();

/**
 * @param {any} client A client of ioredis.
 * @returns {() => number}
 */
function lossesOf(client) {
  if (!lossCounts.has(client)) {
    lossCounts.set(client, 0);
    client.on(client.isCluster ? "-node" : "close", () => lossCounts.set(client, lossesOf(client)() + 1));
  }
  return () => /** @type {number} */ (lossCounts.get(client));
}

function notOneConnection() {
  const message =
    "kv() cannot use a pool or a sentinel of Redis: it has several connections, which do not keep the order of calls. Pass a client of one server or of a cluster: createClient() or createCluster() of the package redis.";
  return new PolystoreTypeError("ERR_CLIENT", message);
}

function inLegacyMode() {
  const message =
    "kv() cannot use a Redis client in legacyMode. Pass client.duplicate({ legacyMode: false }), which has its own connection.";
  return new PolystoreTypeError("ERR_CLIENT", message);
}

/** A Redis server. Each string that is JSON is a value. Redis removes expired keys itself, to the millisecond. */
class Redis {
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "REDIS",
    can: ["manages_expiry", "list"],
    copies: "write",
    atomic: "storage",
    isTransactional: true,
    hasPlaces: true,
  };
  #connection;
  #scripts;
  /** Reads of values: one MGET of 1,000 keys is much faster than 1,000 GETs. @type {Gathered<string, string | null>} */
  #reads = new Gathered(
    (ids) => this.#connection.call("MGET", ids),
    (id) => this.#get(id),
  );
  /** Reads of values with their expiries. @type {Gathered<string, import("./commands.js").WithLife>} */
  #readsWithLife = new Gathered((ids) => readWithLife(this.#scripts, ids));
  /** @type {Gathered<import("./commands.js").Arguments, import("../../core/client.js").Outcome>} */
  #commits = new Gathered((commits) => commitAll(this.#scripts, commits), undefined, sizeOfArguments);

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#scripts = new Scripts(connection.evaluate, connection.losses);
    const { close, onClosing, onTimeout } = connection;
    Object.assign(this, { close, onClosing, onTimeout });
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "Redis");
  }

  /**
   * @param {string} id
   * @param {"presence" | "record" | "expiry"} [needs]
   * @returns {Promise<unknown>}
   */
  async read(id, needs) {
    this.#commits.send();
    if (needs === "record" || needs === "expiry") return toRecordWithLife(await this.#readsWithLife.add(id), id);
    return toRecord(await this.#reads.add(id), id);
  }

  /**
   * @param {readonly import("./commands.js").Commit[]} commits
   * @param {number} now
   */
  async commit(commits, now) {
    const change = onlyChange(commits);
    if (change === undefined) {
      this.#sendReads();
      if (commits.length === 1) return this.#make(argumentsOf(commits[0], now));
      return outcomesOf(commits.map((commit) => this.#make(argumentsOf(commit, now))));
    }
    const { id } = change;
    try {
      if (isPut(change)) await this.#call("SET", [id], ...setArguments(change.value, change.expires, now));
      else await this.#call("DEL", [id]);
      return [true];
    } catch (error) {
      throw setError(id, error);
    }
  }

  /**
   * Makes a commit, together with others of its tick.
   * @param {import("./commands.js").Arguments} commit
   */
  async #make(commit) {
    try {
      return [await this.#commits.add(commit)];
    } catch (error) {
      throw setError(commit.keys[0], error);
    }
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    /** @type {import("./listing.js").Server} */
    const server = (name, ...args) => this.#call(name, [], ...args);
    const find = async (/** @type {string[]} */ ids, /** @type {import("../../core/client.js").Wanted} */ wanted) => {
      if (ids.length === 0) return [];
      const texts = await this.#call("MGET", ids);
      return ids.map((id, i) => toRecord(texts[i], id, wanted));
    };
    return list({ servers: async () => [server], keyPrefix: this.#connection.keyPrefix, find }, range, wanted);
  }

  /**
   * Sends a command, after the calls that were made before it.
   * @type {Connection["call"]}
   */
  #call(name, keys, ...args) {
    this.#sendReads();
    this.#commits.send();
    return this.#connection.call(name, keys, ...args);
  }

  #sendReads() {
    this.#reads.send();
    this.#readsWithLife.send();
  }

  /**
   * Reads one key. For a value that is not a string, GET fails, while MGET returns null.
   * @param {string} id
   * @returns {Promise<string | null>}
   */
  async #get(id) {
    try {
      return await this.#connection.call("GET", [id]);
    } catch (error) {
      return nothingIfNoText(error) ?? null;
    }
  }
}

/**
 * Returns the size of a commit in characters. A key counts as 250, because the server has to look it up: a script blocks other clients.
 * @param {import("./commands.js").Arguments} commit
 */
const sizeOfArguments = ({ keys, args }) => args.reduce((size, text) => size + text.length, 250 * keys.length);
