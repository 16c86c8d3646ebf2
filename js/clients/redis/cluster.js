import { PolystoreError, show } from "../../support/errors.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import {
  MAX_PAGE,
  READ_WITH_LIFE,
  commitScript,
  isReply,
  nothingIfNoText,
  scan,
  setArguments,
  setError,
  toRecord,
  toRecordWithLife,
} from "./commands.js";
import { isPut, keysOf, onlyChange } from "../../support/commits.js";
import { arrangePages } from "../../support/range.js";
import { KeyQueue } from "../../support/key_queue.js";
import { requireText } from "../../support/text_key.js";

/**
 * The connections of a client of a cluster.
 * @typedef {object} Connections
 * @property {string} keyPrefix The client's own key prefix. `call` adds it to every key.
 * @property {(name: string, key: string, ...args: string[]) => Promise<any>} call Sends a command to the server that has the key.
 * @property {(script: string, keys: string[], args: string[]) => Promise<any>} evaluate Sends a script to the server that has the keys.
 * @property {() => Promise<((name: string, ...args: string[]) => Promise<any>)[]>} masters A function for each server, which sends a command to it.
 * @property {() => unknown} close
 * @property {() => void} [onClosing]
 * @property {() => void} [onTimeout]
 */

/**
 * A Redis cluster. Each call is one command with one key, because the keys of a command must all be on one server. Calls on one key
 * wait for one another, because they may overtake each other on their way to the server.
 */
export class RedisCluster {
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "REDIS",
    can: ["manages_expiry", "list"],
    copies: "write",
    atomic: "storage",
    isTransactional: true,
  };
  #connections;
  #queue = new KeyQueue();

  /** @param {Connections} connections */
  constructor(connections) {
    this.#connections = connections;
    const { close, onClosing } = connections;
    Object.assign(this, { close, onClosing });
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "Redis");
  }

  /**
   * @param {string} id
   * @param {"presence" | "record" | "expiry"} [needs]
   */
  read(id, needs) {
    const { evaluate } = this.#connections;
    return this.#queue.add(id, async () =>
      needs === "record" || needs === "expiry"
        ? toRecordWithLife(await evaluate(READ_WITH_LIFE, [id], []), id)
        : this.#find(id),
    );
  }

  /**
   * @param {readonly import("./commands.js").Commit[]} commits
   * @param {number} now
   */
  commit(commits, now) {
    return Promise.all(commits.map((commit) => this.#commitOne(commit, now)));
  }

  /**
   * @param {import("./commands.js").Commit} commit
   * @param {number} now
   */
  async #commitOne(commit, now) {
    const { call, evaluate } = this.#connections;
    const ids = keysOf(commit);
    const make = async () => {
      const change = onlyChange([commit]);
      if (change === undefined) {
        const { script, keys, args } = commitScript([commit], now);
        return Boolean((await evaluate(script, keys, args))[0]);
      }
      const { id } = change;
      if (isPut(change)) await call("SET", id, ...setArguments(change.value, change.expires, now));
      else await call("DEL", id);
      return true;
    };
    try {
      return await this.#queue.addAll(ids, make);
    } catch (error) {
      throw isReply(error, "CROSSSLOT") ? slotError(ids, error) : setError(ids[0], error);
    }
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range.prefix, wanted), range);
  }

  /**
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(prefix, wanted) {
    await this.#queue.idle();
    const { keyPrefix, masters } = this.#connections;
    let length = FIRST_LENGTH;
    for (const call of await masters()) {
      for await (const all of scan(call, keyPrefix, prefix, wanted)) {
        for (let i = 0; i < all.length;) {
          const ids = all.slice(i, (i += length));
          const found = await Promise.all(ids.map((id) => this.#find(id, wanted)));
          yield { ids, found };
          length = nextLength(length, ids.length, sizeOfAll(found), MAX_PAGE);
        }
      }
    }
  }

  onTimeout() {
    this.#queue.abandon();
    this.#connections.onTimeout?.();
  }

  /**
   * @param {string} id
   * @param {import("../../core/client.js").Wanted} [wanted] What a listing needs; undefined if this is not a listing.
   */
  #find(id, wanted) {
    return this.#connections.call("GET", id).then((text) => toRecord(text, id, wanted), nothingIfNoText);
  }
}

/**
 * @param {string[]} ids
 * @param {unknown} cause
 */
function slotError(ids, cause) {
  const message = `A Redis cluster cannot change ${ids.slice(0, 3).map(show).join(", ")} in one step, because these keys are in different slots. Give them the same part in braces, for example {user:7}name and {user:7}visits, or change them one by one.`;
  return new PolystoreError("ERR_UNSUPPORTED", message, { cause });
}
