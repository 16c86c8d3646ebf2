import { decodeValue, parseValue } from "../../support/record.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { nothingIfNoText, scan, SCAN_COUNT, setArguments, setError, toRecord } from "./commands.js";
import { KeyQueue } from "../../support/key_queue.js";
import { requireText } from "../../support/text_key.js";

/**
 * The connections of a client of a cluster.
 * @typedef {object} Connections
 * @property {string} keyPrefix The client's own prefix, of the keys on the servers. `call` adds it.
 * @property {(name: string, key: string, ...args: string[]) => Promise<any>} call Sends a command to where the key is.
 * @property {() => Promise<((name: string, ...args: string[]) => Promise<any>)[]>} masters A way to each server.
 * @property {() => unknown} close
 * @property {() => void} [closing]
 * @property {() => void} [giveUp]
 */

/**
 * A cluster of Redis. Each call is one command of one key, for a command of several keys would have to find them on one server;
 * and calls on one key wait for one another, because on their ways to the servers they may overtake each other.
 */
export class RedisCluster {
  type = "REDIS";
  /** @type {import("../../core/client.js").Client["can"]} */
  can = ["manages_expiry", "list"];
  /** @type {"write"} */
  copies = "write";
  #connections;
  #queue = new KeyQueue();

  /** @param {Connections} connections */
  constructor(connections) {
    this.#connections = connections;
    const { close, closing } = connections;
    Object.assign(this, { close, closing });
  }

  /** @param {string} id */
  read(id) {
    requireText(id, "Redis");
    return this.#queue.add(id, () => this.#find(id));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires In seconds.
   */
  write(id, value, expires) {
    requireText(id, "Redis");
    const args = setArguments(value, expires);
    return this.#queue.add(id, () =>
      this.#connections.call("SET", id, ...args).catch((error) => {
        throw setError(id, error);
      }),
    );
  }

  /** @param {string} id */
  erase(id) {
    requireText(id, "Redis");
    return this.#queue.add(id, () => this.#connections.call("DEL", id));
  }

  /** @param {import("../../core/client.js").Evicted[]} evicted */
  async evict(evicted) {
    const counts = await Promise.all(
      evicted.map(({ id }) => this.#queue.add(id, () => this.#connections.call("UNLINK", id))),
    );
    return counts.reduce((sum, count) => sum + Number(count), 0);
  }

  /**
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *pages(prefix, wanted) {
    await this.#queue.idle();
    const { keyPrefix, masters } = this.#connections;
    const decode = wanted === "keys" ? parseValue : decodeValue;
    let length = FIRST_LENGTH;
    for (const call of await masters()) {
      for await (const all of scan(call, keyPrefix, prefix, wanted)) {
        for (let i = 0; i < all.length;) {
          const ids = all.slice(i, (i += length));
          const found = await Promise.all(ids.map((id) => this.#find(id, decode)));
          yield { ids, found };
          length = nextLength(ids.length, sizeOfAll(found), SCAN_COUNT);
        }
      }
    }
  }

  giveUp() {
    this.#queue.giveUp();
    this.#connections.giveUp?.();
  }

  /**
   * @param {string} id
   * @param {typeof decodeValue} [decode]
   */
  #find(id, decode) {
    return this.#connections.call("GET", id).then((text) => toRecord(text, id, decode), nothingIfNoText);
  }
}
