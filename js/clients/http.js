import { PolystoreTypeError, show } from "../errors.js";
import { JSON_TYPE, LINES_TYPE, MOST_CALLS } from "../http_protocol.js";
import { Batch, inRuns } from "./batch.js";
import { HttpServer } from "./http_server.js";
import { requireText } from "./text_key.js";

/** @typedef {import("../http_protocol.js").Call} Call */
/** @typedef {{ result: any } | { error: unknown }} Settled What came of a call. */

/** How many requests are under way at most, each of which takes a connection. */
const MOST_REQUESTS = 32;
/** How long a batch may be, in characters: a server takes no body of any length. */
const LONGEST_BATCH = 256 * 1024;
/** What a server that knows no better says to a request that only ours know. */
const UNKNOWN_REQUEST = [404, 405, 501];

/**
 * A server that speaks the protocol in http_protocol.js: all of it, and then the calls of one tick are one request; or
 * polystore's part. Expiry is its affair: whatever it gives is alive.
 */
export class Http {
  type = "API";
  /** @type {import("./client.js").Client["can"]} */
  can = ["manages_expiry", "has", "list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #server;
  /** Whether the server speaks all of the protocol. @type {Promise<boolean> | null} */
  #speaksAll = null;
  /** Calls, and requests for what is more than a key. @type {Batch<Call | (() => Promise<unknown>)>} */
  #batch = new Batch(
    inRuns(
      (request) => (typeof request === "function" ? undefined : "calls"),
      async (requests) => {
        const [first] = requests;
        return typeof first === "function" ? [await first()] : this.#make(/** @type {Call[]} */ (requests));
      },
    ),
  );

  /** @param {string} url */
  constructor(url) {
    this.#server = new HttpServer(url);
  }

  /** @param {string} id */
  async read(id) {
    return { expires: null, value: await this.#call(["get", id]) };
  }

  /** @param {string} id */
  has(id) {
    return this.#call(["has", id]);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires In seconds.
   */
  write(id, value, expires) {
    return this.#call(["set", id, value, expires]);
  }

  /** @param {string} id */
  erase(id) {
    return this.#call(["del", id]);
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    const target = underPrefix(prefix);
    const accept = `${LINES_TYPE}, ${JSON_TYPE}`;
    const response = await this.#batch.add(() => this.#server.ask("GET", target, { accept }));
    if (isLines(response)) yield* this.#server.linesOf(response, prefix);
    else yield this.#server.pageOf(response, prefix);
  }

  /** @param {string} prefix */
  async clear(prefix) {
    const target = underPrefix(prefix);
    await this.#batch.add(async () => {
      if (await this.#isOurs()) return this.#server.change("DELETE", target);
      const listed = await this.#server.ask("GET", target, { accept: JSON_TYPE });
      const { ids } = await this.#server.pageOf(listed, prefix);
      for (const outcome of await this.#makeOneByOne(ids.map((id) => ["del", id]))) resultOf(outcome);
    });
  }

  /** @param {string} prefix */
  async prune(prefix) {
    const target = underPrefix(prefix);
    return this.#batch.add(async () => {
      if (!(await this.#isOurs())) return 0; // What has expired there is not to be seen.
      return this.#server.change("POST", `${target}&prune`);
    });
  }

  giveUp() {
    this.#speaksAll = null; // It may be this answer that did not come.
    this.#batch.giveUp();
  }

  /** @param {Call} call */
  async #call(call) {
    requireText(call[1], "a URL");
    return resultOf(await this.#batch.add(call));
  }

  /**
   * @param {Call[]} calls
   * @returns {Promise<Settled[]>}
   */
  async #make(calls) {
    if ((calls.length === 1 && isPlain(calls[0])) || !(await this.#isOurs())) return this.#makeOneByOne(calls);
    const outcomes = [];
    for (const batch of batchesOf(calls)) outcomes.push(...(await this.#makeTogether(batch)));
    return outcomes;
  }

  /**
   * @param {Call[]} calls
   * @returns {Promise<Settled[]>}
   */
  async #makeTogether(calls) {
    if (calls.length === 1 && isPlain(calls[0])) return this.#makeOneByOne(calls);
    const response = await this.#server.request("POST", "/?batch", { body: JSON.stringify(calls) });
    // Each of them may well be small enough.
    if (response.status === 413 && calls.length > 1) return this.#makeOneByOne(calls);
    return this.#server.outcomesOf(response);
  }

  /**
   * Makes each call by a request of its own, some of them at a time; those on a key that is written, one after the other.
   * @param {Call[]} calls
   * @returns {Promise<Settled[]>}
   */
  async #makeOneByOne(calls) {
    const written = new Set(calls.filter(([name]) => name === "set" || name === "del").map(([, id]) => id));
    /** @type {Map<string | number, number[]>} */
    const lanes = new Map();
    for (const [i, [, id]] of calls.entries()) {
      const lane = written.has(id) ? id : i;
      lanes.set(lane, [...(lanes.get(lane) ?? []), i]);
    }
    /** @type {Settled[]} */
    const outcomes = new Array(calls.length);
    const left = lanes.values();
    const work = async () => {
      for (const lane of left) for (const i of lane) outcomes[i] = await settled(this.#makeOne(calls[i]));
    };
    await Promise.all(Array.from({ length: Math.min(lanes.size, MOST_REQUESTS) }, work));
    return outcomes;
  }

  /**
   * @param {Call} call
   * @returns {Promise<any>} Its result.
   */
  async #makeOne(call) {
    const [name, id, value, expires = null] = call;
    if (!isSayable(id)) {
      if (await this.#isOurs()) return resultOf((await this.#makeTogether([call]))[0]);
      const message = `The key ${show(id)} cannot be said in the path of a URL, and this server knows no other way: use another key.`;
      throw new PolystoreTypeError("ERR_KEY", message);
    }
    const target = `/${encodeURIComponent(id)}`;
    if (name === "del") return this.#server.change("DELETE", target);
    if (name === "set") {
      const body = JSON.stringify(value);
      return this.#server.change("PUT", expires === null ? target : `${target}?expires=${expires}`, { body });
    }
    const found = await this.#server.find(target);
    return name === "get" ? found : found !== null;
  }

  #isOurs() {
    this.#speaksAll ??= this.#ask().catch((error) => {
      this.#speaksAll = null;
      throw error;
    });
    return this.#speaksAll;
  }

  /** Asks whether there is a listing in lines; safely, for a HEAD changes nothing anywhere. */
  async #ask() {
    const response = await this.#server.request("HEAD", underPrefix(""), { accept: LINES_TYPE });
    if (UNKNOWN_REQUEST.includes(response.status)) return false;
    return isLines(await this.#server.check(response));
  }
}

/**
 * Whether a path can say a key: "." and ".." are steps of it.
 * @param {string} id
 */
const isSayable = (id) => !["", ".", ".."].includes(id);

/**
 * Whether a request of its own is as good for a call as a batch is: in answer to one, the value comes along.
 * @param {Call} call
 */
const isPlain = ([name, id]) => name !== "has" && isSayable(id);

/** @param {string} prefix */
function underPrefix(prefix) {
  requireText(prefix, "a URL");
  return `/?prefix=${encodeURIComponent(prefix)}`;
}

/** @param {Response} response */
function isLines(response) {
  return response.headers.get("content-type")?.startsWith(LINES_TYPE) ?? false;
}

/** @param {Call[]} calls */
function* batchesOf(calls) {
  /** @type {Call[]} */
  let batch = [];
  let length = 0;
  for (const call of calls) {
    const added = JSON.stringify(call).length;
    if (batch.length === MOST_CALLS || (batch.length > 0 && length + added > LONGEST_BATCH)) {
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
 * @param {Promise<any>} result
 * @returns {Promise<Settled>}
 */
function settled(result) {
  return result.then(
    (result) => ({ result }),
    (error) => ({ error }),
  );
}

/** @param {Settled} outcome */
function resultOf(outcome) {
  if ("error" in outcome) throw outcome.error;
  return outcome.result;
}
