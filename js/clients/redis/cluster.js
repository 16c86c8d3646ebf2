import { PolystoreError, show } from "../../support/errors.js";
import {
  Scripts,
  argumentsOf,
  commitAll,
  isReply,
  nothingIfNoText,
  readWithLife,
  setArguments,
  setError,
  toRecord,
  toRecordWithLife,
} from "./commands.js";
import { isPut, keysOf, onlyChange, outcomesOf } from "../../support/commits.js";
import { list } from "./listing.js";
import { KeyQueue } from "../../support/key_queue.js";
import { requireText } from "../../support/text_key.js";

/**
 * The connections of a client of a cluster.
 * @typedef {object} Connections
 * @property {string} keyPrefix The client's own key prefix. `call` adds it to every key.
 * @property {(name: string, key: string, ...args: string[]) => Promise<any>} call Sends a command to the server that has the key.
 * @property {(command: "EVAL" | "EVALSHA", script: string, keys: string[], args: string[]) => Promise<any>} evaluate Sends a script, or its hash, to the server that has the keys.
 * @property {() => Promise<((name: string, ...args: string[]) => Promise<any>)[]>} masters A function for each server, which sends a command to it.
 * @property {() => number} [losses] How often a connection was lost. Only for a client that then sends unanswered commands again.
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
    hasPlaces: true,
  };
  #connections;
  #scripts;
  #queue = new KeyQueue();

  /** @param {Connections} connections */
  constructor(connections) {
    this.#connections = connections;
    this.#scripts = new Scripts(connections.evaluate, connections.losses);
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
    return this.#queue.add(id, async () => {
      if (needs !== "record" && needs !== "expiry") return this.#find(id);
      const [found] = await readWithLife(this.#scripts, [id]);
      return toRecordWithLife(found, id);
    });
  }

  /**
   * @param {readonly import("./commands.js").Commit[]} commits
   * @param {number} now
   * @returns {Promise<readonly import("../../core/client.js").Outcome[]>}
   */
  commit(commits, now) {
    if (commits.length > 1) return outcomesOf(commits.map((commit) => this.commit([commit], now)));
    return this.#commitOne(commits[0], now);
  }

  /**
   * @param {import("./commands.js").Commit} commit
   * @param {number} now
   */
  async #commitOne(commit, now) {
    const ids = keysOf(commit);
    if (ids.length === 0) return [true]; // No server would be the right one.
    const make = async () => {
      const change = onlyChange([commit]);
      if (change === undefined) return commitAll(this.#scripts, [argumentsOf(commit, now)]);
      const { call } = this.#connections;
      const { id } = change;
      if (isPut(change)) await call("SET", id, ...setArguments(change.value, change.expires, now));
      else await call("DEL", id);
      return [true];
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
    const { keyPrefix, masters } = this.#connections;
    const servers = async () => {
      await this.#queue.idle();
      return masters();
    };
    const find = (/** @type {string[]} */ ids, /** @type {import("../../core/client.js").Wanted} */ wanted) =>
      Promise.all(ids.map((id) => this.#find(id, wanted)));
    return list({ servers, keyPrefix, find }, range, wanted);
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
