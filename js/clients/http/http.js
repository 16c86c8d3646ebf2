import { PolystoreTypeError, show } from "../../support/errors.js";
import { JSON_TYPE, LINES_TYPE, MAX_CALLS } from "../../http/protocol.js";
import { CallOrder } from "../../support/call_order.js";
import { HttpServer } from "./http_server.js";
import { arrangePages } from "../../support/range.js";
import { WITHOUT_EXPIRY } from "../../support/record.js";
import { requireText } from "../../support/text_key.js";

/** @typedef {import("../../http/protocol.js").Call} Call */
/** A request for the whole store: anything but a call on a key. @typedef {() => Promise<unknown>} Whole */
/** @typedef {import("../../support/batch.js").Pending<Call>} Pending */

/** How many requests are under way at most, each of which takes a connection. */
const MOST_REQUESTS = 32;
/** How long a batch may be, in characters: a server takes no body of any length. */
const LONGEST_BATCH = 256 * 1024;
/** What a server that knows no better says to a request that only ours know. */
const UNKNOWN_REQUEST = [404, 405, 501];

/**
 * A server that speaks the protocol in http/protocol.js: all of it, and then the calls of one tick are one request; or
 * polystore's part. Expiry is its affair: whatever it gives is alive.
 */
export class Http {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "API", can: ["manages_expiry", "list", "sweeps_all", "sweeps_expired"], copies: "write" };
  #server;
  /**
   * Whether the server speaks all of the protocol, once it has said so. Until then each run of calls asks for itself: what another
   * one asked may never be answered.
   * @type {boolean | undefined}
   */
  #speaksAll;
  /** True once something before the server, such as Apache, has refused a path with %2F or %5C. */
  #losesSlashes = false;
  /** @type {CallOrder<Call | Whole>} */
  #calls = new CallOrder((run) => this.#send(run), MOST_REQUESTS);

  /** @param {string} url */
  constructor(url) {
    this.#server = new HttpServer(url);
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a URL");
  }

  /**
   * @param {string} id
   * @param {boolean} isPresenceOnly
   */
  read(id, isPresenceOnly) {
    return this.#call([isPresenceOnly ? "has" : "get", id]);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  put(id, value, expires, now) {
    return this.#call(["set", id, value, expires === null ? null : (expires - now) / 1000]);
  }

  /** @param {string} id */
  remove(id) {
    return this.#call(["del", id]);
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
    const target = underPrefix(prefix);
    const accept = `${LINES_TYPE}, ${JSON_TYPE}`;
    const response = await this.#whole(prefix, false, () => this.#server.ask("GET", target, { accept }));
    if (isLines(response)) yield* this.#server.linesOf(response, prefix, wanted);
    else yield this.#server.pageOf(response, prefix, wanted);
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep({ prefix }, until) {
    const target = underPrefix(prefix);
    return this.#whole(prefix, true, () => (until === null ? this.#clear(target, prefix) : this.#prune(target)));
  }

  /**
   * @param {string} target
   * @param {string} prefix
   */
  async #clear(target, prefix) {
    if (await this.#mayBeOurs()) return this.#server.change("DELETE", target);
    const listed = await this.#server.ask("GET", target, { accept: JSON_TYPE });
    const { ids } = await this.#server.pageOf(listed, prefix, "keys");
    await someAtATime(ids, (id) => this.#makeOne(["del", id]));
  }

  /** @param {string} target */
  async #prune(target) {
    if (!(await this.#isOurs())) return 0; // What has expired there is not to be seen.
    return this.#server.change("POST", `${target}&prune`);
  }

  /** @param {unknown} reply */
  onTimeout(reply) {
    this.#calls.abandon(reply);
  }

  /** @param {Call} call */
  #call(call) {
    return this.#calls.add(call, { writes: isWrite(call), keys: [call[1]], kind: "call" });
  }

  /**
   * @template Result
   * @param {string} prefix
   * @param {boolean} writes
   * @param {() => Promise<Result>} run
   * @returns {Promise<Result>}
   */
  #whole(prefix, writes, run) {
    return this.#calls.add(run, { writes, prefix });
  }

  /** @param {import("../../support/batch.js").Pending<Call | Whole>[]} run Calls on keys, or one on the whole store. */
  async #send(run) {
    const [{ request, resolve }] = run;
    if (typeof request === "function") return resolve(await request());
    const calls = /** @type {Pending[]} */ (run);
    if (this.#isOnePlain(calls) || !(await this.#mayBeOurs())) return this.#makeOneByOne(calls);
    for (const batch of batchesOf(calls)) {
      await (this.#isOnePlain(batch) ? this.#makeOneByOne(batch) : this.#makeTogether(batch));
    }
  }

  /**
   * Whether there is one call only, for which a request of its own is as good as a batch: in answer to one for `has`, the value
   * would come along.
   * @param {Pending[]} calls
   */
  #isOnePlain([{ request }, ...others]) {
    const [name, id] = request;
    return others.length === 0 && name !== "has" && isSayable(id) && !(this.#losesSlashes && SLASH.test(id));
  }

  /** @param {Pending[]} calls */
  async #makeTogether(calls) {
    const requests = calls.map(({ request }) => request);
    const response = await this.#post(requests);
    // Each of them may well be small enough.
    if (response.status === 413 && calls.length > 1) return this.#makeOneByOne(calls);
    const outcomes = await this.#server.outcomesOf(response, requests);
    for (const [i, call] of calls.entries()) {
      const outcome = outcomes[i];
      if ("error" in outcome) call.reject(outcome.error);
      else resolve(call, outcome.result);
    }
  }

  /** @param {Call[]} calls */
  #post(calls) {
    return this.#server.request("POST", "/?batch", { body: JSON.stringify(calls) });
  }

  /**
   * Makes each call by a request of its own, some of them at a time; those on a key that is written, one after the other.
   * @param {Pending[]} calls
   */
  async #makeOneByOne(calls) {
    const written = new Set(calls.filter(({ request }) => isWrite(request)).map(({ request: [, id] }) => id));
    /** @type {Map<unknown, Pending[]>} */
    const lanes = new Map();
    for (const call of calls) {
      const [, id] = call.request;
      const lane = written.has(id) ? id : call;
      lanes.set(lane, [...(lanes.get(lane) ?? []), call]);
    }
    const make = async (/** @type {Pending[]} */ lane) => {
      for (const call of lane) {
        await this.#makeOne(call.request).then((result) => resolve(call, result), call.reject);
      }
    };
    const isLaneSayable = (/** @type {Pending[]} */ [{ request }]) => isSayable(request[1]);
    const all = [...lanes.values()];
    await someAtATime(all.filter(isLaneSayable), make);
    // What is wrong with the server, the others say better than an error of the key does.
    await someAtATime(
      all.filter((lane) => !isLaneSayable(lane)),
      make,
    );
  }

  /**
   * @param {Call} call
   * @returns {Promise<any>} Its result.
   */
  async #makeOne(call) {
    const [name, id, value, expires = null] = call;
    if (!isSayable(id)) {
      if (await this.#mayBeOurs()) return this.#makeByBatch(call);
      const message = `The key ${show(id)} cannot be said in the path of a URL, and this server knows no other way: use another key.`;
      throw new PolystoreTypeError("ERR_KEY", message);
    }
    const target = `/${encodeURIComponent(id)}`;
    if (!isWrite(call)) {
      const found = await this.#server.find(target, id);
      if (found === undefined && (await this.#mayBeOurs())) return this.#makeByBatch(call);
      return name === "get" ? (found ?? null) : (found ?? null) !== null;
    }
    try {
      if (name === "del") return await this.#server.change("DELETE", target);
      const body = JSON.stringify(value);
      return await this.#server.change("PUT", expires === null ? target : `${target}?expires=${expires}`, { body });
    } catch (/** @type {any} */ error) {
      if (error.status === 404 && (await this.#mayBeOurs())) return this.#makeByBatch(call);
      throw error;
    }
  }

  /**
   * Makes a call of which a path cannot say the key, or cannot on the way to the server.
   * @param {Call} call
   */
  async #makeByBatch(call) {
    this.#losesSlashes ||= SLASH.test(call[1]);
    const [outcome] = await this.#server.outcomesOf(await this.#post([call]), [call]);
    if ("error" in outcome) throw outcome.error;
    return outcome.result;
  }

  /** The same as #isOurs(), where a server that has an error for an answer counts as another's: this time only. */
  async #mayBeOurs() {
    try {
      return await this.#isOurs();
    } catch (/** @type {any} */ error) {
      if (error.status === undefined) throw error;
      return false;
    }
  }

  async #isOurs() {
    return (this.#speaksAll ??= await this.#ask());
  }

  /** Asks whether there is a listing in lines; safely, for a HEAD changes nothing anywhere. */
  async #ask() {
    const response = await this.#server.request("HEAD", underPrefix(""), { accept: LINES_TYPE });
    return !UNKNOWN_REQUEST.includes(response.status) && isLines(await this.#server.check(response));
  }
}

const SLASH = /[/\\]/;

/**
 * Whether a path can say a key: "." and ".." are steps of it.
 * @param {string} id
 */
const isSayable = (id) => !["", ".", ".."].includes(id);

/** @param {Call} call */
const isWrite = ([name]) => name === "set" || name === "del";

/** @param {string} prefix */
function underPrefix(prefix) {
  requireText(prefix, "a URL");
  return `/?prefix=${encodeURIComponent(prefix)}`;
}

/** @param {Response} response */
function isLines(response) {
  return response.headers.get("content-type")?.startsWith(LINES_TYPE) ?? false;
}

/** @param {Pending[]} calls */
function* batchesOf(calls) {
  /** @type {Pending[]} */
  let batch = [];
  let length = 0;
  for (const call of calls) {
    const added = JSON.stringify(call.request).length;
    if (batch.length === MAX_CALLS || (batch.length > 0 && length + added > LONGEST_BATCH)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(call);
    length += added;
  }
  yield batch;
}

/**
 * @param {Pending} call
 * @param {any} result
 */
function resolve({ request: [name], resolve }, result) {
  if (name === "has") resolve(result ? WITHOUT_EXPIRY : undefined);
  else resolve(name === "get" ? { expires: null, value: result } : undefined);
}

/**
 * @template Item
 * @param {Item[]} items
 * @param {(item: Item) => Promise<unknown>} act
 * @returns {Promise<void>} Rejects if that failed for an item, when nothing is under way any more.
 */
async function someAtATime(items, act) {
  const left = items.values();
  const work = async () => {
    for (const item of left) await act(item);
  };
  const workers = Array.from({ length: Math.min(items.length, MOST_REQUESTS) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
