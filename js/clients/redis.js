import { requireText } from "./text_key.js";

/** Keys that a SCAN looks at, at most as many of which are on one page. */
const SCAN_COUNT = 1000;

/**
 * What sends a command, of node-redis or of ioredis; both send the commands of one tick without waiting in between.
 * @typedef {(command: string[]) => Promise<any>} Send
 */

/** A client of the package `redis`. @param {any} client */
export async function openNodeRedis(client) {
  if (!client.isOpen) await client.connect();
  const close = () => (client.close ? client.close() : client.quit()); // Before version 5 there is only quit().
  return new Redis(client, (command) => client.sendCommand(command), close);
}

/** A client of the package `ioredis`. @param {any} client */
export async function openIoRedis(client) {
  // The others are on their way, or there.
  if (["wait", "close", "end"].includes(client.status)) await client.connect();
  const close = async () => {
    const ended = new Promise((resolve) => client.once("end", resolve));
    await client.quit();
    await ended; // The server's goodbye comes before the end of the connection.
  };
  return new Redis(client, ([name, ...args]) => client.call(name, ...args), close);
}

/** Redis, which sees to expiry itself, to the millisecond: each string that is JSON is a value. */
class Redis {
  type = "REDIS";
  /** @type {import("./client.js").Client["can"]} */
  can = ["manages_expiry", "list"];
  /** @type {"write"} */
  copies = "write";
  #send;

  /**
   * @param {any} client
   * @param {Send} send
   * @param {() => unknown} close
   */
  constructor(client, send, close) {
    this.#send = send;
    this.close = close;
    // Without a listener, a connection that is lost would end the process. Whoever makes a call learns of it.
    client.on("error", () => {});
  }

  /** @param {string} id */
  async read(id) {
    const [record] = await this.#find([keyOf(id)]);
    return record;
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires In seconds.
   */
  write(id, value, expires) {
    const life = expires === null ? [] : ["PX", String(Math.max(1, Math.round(expires * 1000)))];
    return this.#send(["SET", keyOf(id), JSON.stringify(value), ...life]);
  }

  /** @param {string} id */
  erase(id) {
    return this.#send(["DEL", keyOf(id)]);
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    return this.#send(["UNLINK", ...evicted.map(({ id }) => id)]);
  }

  /**
   * @param {string} prefix
   * @param {import("./client.js").Wanted} wanted
   */
  async *pages(prefix, wanted) {
    const pattern = `${keyOf(prefix).replace(/[\\*?[\]]/g, "\\$&")}*`;
    // SCAN gives a key twice when the table of keys grows meanwhile. An iteration cannot remember all keys: it takes no more
    // memory than a page does.
    const seen = wanted === "stream" ? null : new Set();
    let cursor = "0";
    do {
      const [next, found] = await this.#send(["SCAN", cursor, "MATCH", pattern, "COUNT", String(SCAN_COUNT)]);
      const ids = /** @type {string[]} */ ([...new Set(found)]).filter((id) => !seen?.has(id));
      ids.forEach((id) => seen?.add(id));
      if (ids.length > 0) yield { ids, found: await this.#find(ids) };
      cursor = String(next);
    } while (cursor !== "0");
  }

  /**
   * MGET, unlike GET, gives nothing, and no error, for what is not a string.
   * @param {string[]} ids
   */
  async #find(ids) {
    const texts = /** @type {(string | null)[]} */ (await this.#send(["MGET", ...ids]));
    return texts.map(toRecord);
  }
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "Redis");
  return id;
}

/** @param {string | null} text */
function toRecord(text) {
  if (text === null) return undefined;
  try {
    return { expires: null, value: JSON.parse(text) };
  } catch {
    return undefined; // Not JSON, so other code's.
  }
}
