import { PolystoreTypeError, quotaError, show } from "../errors.js";
import { decodeValue } from "../record.js";
import { requireText } from "./text_key.js";

/** Keys that a SCAN looks at, at most as many of which are on one page; and keys to an MGET. */
const SCAN_COUNT = 1000;

/**
 * A connection of node-redis or of ioredis; both send the commands of one tick in their order, without waiting in between.
 * @typedef {object} Connection
 * @property {string} keyPrefix The client's own prefix, of the keys on the server. `call` adds it.
 * @property {(name: string, keys: string[], ...args: string[]) => Promise<any>} call
 * @property {() => unknown} close
 */
/** @typedef {{ id: string, resolve: (record: unknown) => void, reject: (error: unknown) => void }} Read */

/** Replies as texts, whatever the client's own code wants them to be. */
const AS_TEXT = { typeMapping: undefined };

/** A client of the package `redis`. @param {any} client */
export async function openNodeRedis(client) {
  // What createCluster(), createClientPool() and createSentinel() give lacks it.
  if (typeof client.select !== "function") throw notOneConnection("createClient() of the package redis");
  if (!client.isOpen) await client.connect();
  listenToErrors(client);
  const keyPrefix = client.options?.keyPrefix ?? "";
  return new Redis({
    keyPrefix,
    // Its own methods would add the prefix, and need as many spellings as it had versions.
    call: (name, keys, ...args) => client.sendCommand([name, ...keys.map((key) => keyPrefix + key), ...args], AS_TEXT),
    close() {
      if (!client.isOpen) return undefined; // Its owner closed it.
      return client.close ? client.close() : client.quit(); // Before version 5 there is only quit().
    },
  });
}

/** A client of the package `ioredis`. @param {any} client */
export async function openIoRedis(client) {
  if (client.isCluster) throw notOneConnection("new Redis() of the package ioredis");
  // The others are on their way, or there.
  if (["wait", "close", "end"].includes(client.status)) await client.connect();
  listenToErrors(client);
  return new Redis({
    keyPrefix: client.options.keyPrefix ?? "",
    call: (name, keys, ...args) => client.call(name, ...keys, ...args),
    async close() {
      if (client.status === "end") return; // Its owner closed it.
      const ended = new Promise((resolve) => client.once("end", resolve));
      await client.quit();
      await ended; // The server's goodbye comes before the end of the connection.
    },
  });
}

const ignore = () => {};

/**
 * Without a listener, a connection that is lost would end the process. Whoever makes a call learns of it.
 * @param {any} client
 */
function listenToErrors(client) {
  client.off("error", ignore); // Of the time before it was closed.
  client.on("error", ignore);
}

/** @param {string} instead */
function notOneConnection(instead) {
  const message = `A cluster, a pool or a sentinel of Redis has several connections, among which the order of calls is lost. Give kv() the client of one server: ${instead}.`;
  return new PolystoreTypeError("ERR_CLIENT", message);
}

/** Redis, which sees to expiry itself, to the millisecond: each string that is JSON is a value. */
class Redis {
  type = "REDIS";
  /** @type {import("./client.js").Client["can"]} */
  can = ["manages_expiry", "list"];
  /** @type {"write"} */
  copies = "write";
  #connection;
  /** Those that nothing came after yet: one MGET of 1,000 keys takes a small part of the time of 1,000. @type {Read[]} */
  #reads = [];

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.close = connection.close;
  }

  /**
   * @param {string} id
   * @returns {Promise<unknown>}
   */
  read(id) {
    requireText(id, "Redis");
    return new Promise((resolve, reject) => {
      const count = this.#reads.push({ id, resolve, reject });
      if (count === 1) queueMicrotask(() => this.#sendReads());
      if (count === SCAN_COUNT) this.#sendReads();
    });
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires In seconds.
   */
  async write(id, value, expires) {
    requireText(id, "Redis");
    const life = expires === null ? [] : ["PX", String(Math.max(1, Math.round(expires * 1000)))];
    try {
      await this.#call("SET", [id], JSON.stringify(value), ...life);
    } catch (error) {
      throw isReply(error, "OOM") ? quotaError(`REDIS set(${show(id)})`, { cause: error }) : error;
    }
  }

  /** @param {string} id */
  erase(id) {
    requireText(id, "Redis");
    return this.#call("DEL", [id]);
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    const ids = evicted.map(({ id }) => id);
    return this.#call("UNLINK", ids);
  }

  /**
   * @param {string} prefix
   * @param {import("./client.js").Wanted} wanted
   */
  async *pages(prefix, wanted) {
    requireText(prefix, "Redis");
    const { keyPrefix } = this.#connection;
    const start = keyPrefix + prefix;
    const pattern = `${start.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
    // SCAN gives a key twice when the table of keys shrinks meanwhile. An iteration cannot remember all keys: it takes no
    // more memory than a page does.
    const seen = wanted === "stream" ? null : new Set();
    let cursor = "0";
    do {
      const [next, found] = await this.#call("SCAN", [], cursor, "MATCH", pattern, "COUNT", String(SCAN_COUNT));
      const ids = /** @type {string[]} */ ([...new Set(found)])
        .filter((key) => key.startsWith(start)) // Servers that are like Redis differ in what they think of a pattern.
        .map((key) => key.slice(keyPrefix.length))
        .filter((id) => !seen?.has(id));
      ids.forEach((id) => seen?.add(id));
      if (ids.length > 0) yield { ids, found: await this.#find(ids) };
      cursor = String(next);
    } while (cursor !== "0");
  }

  /**
   * Sends a command, after the reads that were asked for before it.
   * @type {Connection["call"]}
   */
  #call(name, keys, ...args) {
    this.#sendReads();
    return this.#connection.call(name, keys, ...args);
  }

  async #sendReads() {
    const reads = this.#reads;
    if (reads.length === 0) return;
    this.#reads = [];
    try {
      const found = await this.#find(reads.map(({ id }) => id));
      reads.forEach(({ resolve }, i) => resolve(found[i]));
    } catch (error) {
      // A user who may not read one of the keys may read the others.
      const split = reads.length > 1 && isReply(error, "NOPERM");
      for (const { id, resolve, reject } of reads) {
        if (split) this.#find([id]).then(([record]) => resolve(record), reject);
        else reject(error);
      }
    }
  }

  /**
   * MGET, unlike GET, gives nothing, and no error, for what is not a string.
   * @param {string[]} ids
   */
  async #find(ids) {
    const texts = /** @type {(string | null)[]} */ (await this.#connection.call("MGET", ids));
    return texts.map(toRecord);
  }
}

/**
 * Whether an error is a reply of the server, of a kind that its first word tells.
 * @param {unknown} error
 * @param {string} kind
 */
function isReply(error, kind) {
  return error instanceof Error && error.message.startsWith(`${kind} `);
}

/** @param {string | null} text */
function toRecord(text) {
  return text === null ? undefined : { expires: null, value: decodeValue(text) };
}
