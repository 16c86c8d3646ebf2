import { PolystoreTypeError, show } from "../../support/errors.js";
import { COMMITS, JSON_TYPE, LINES_TYPE, MAX_CALLS, UNKNOWN } from "../../http/protocol.js";
import { CallOrder } from "../../support/call_order.js";
import { isPut, keysOf, lastChanges, onlyChange, outcomesOf } from "../../support/commits.js";
import { mayBeDone, Requests } from "./requests.js";
import { arrangePages, isPrefixOnly } from "../../support/range.js";
import { sleep } from "../../support/real_timers.js";
import { encodeValue, KEY_ONLY, WITHOUT_EXPIRY } from "../../support/record.js";
import { isText, requireText } from "../../support/text_key.js";

/** @typedef {import("../../http/protocol.js").Call} Call */
/** A request on the whole store, rather than on one key. @typedef {() => Promise<unknown>} Whole */
/** @typedef {import("../../support/batch.js").Pending<Call>} Pending */

/** The number of requests that may be under way; each one takes a connection. */
const MAX_REQUESTS = 32;
/** The length of a batch in characters, because servers limit the size of a body. */
const MAX_BATCH_LENGTH = 256 * 1024;
/** How long to wait before each further attempt to get an answer to a commit, in milliseconds. */
const DELAYS = [50, 250, 1000];
/** The outcome of a call that puts or removes a record. */
const DONE = [true];
/** The statuses with which other servers answer a request that only handler() supports. */
const UNKNOWN_REQUEST = [404, 405, 501];

/**
 * A server that speaks the protocol in http/protocol.js. If it speaks all of it, the calls of one tick share a request; other servers
 * speak only the part that polystore defined. The server manages expiry: it never returns expired values.
 */
export class Http {
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "API",
    can: ["manages_expiry", "list", "sweeps_all", "sweeps_expired"],
    copies: "write",
    // It is the server that makes commits, and that refuses those that its store cannot make.
    atomic: "origin",
    isTransactional: true,
  };
  #requests;
  /**
   * Whether the server speaks all of the protocol; undefined until it has answered that. Until then each run of calls asks for itself,
   * because the question of another run may never be answered.
   * @type {boolean | undefined}
   */
  #speaksAll;
  /** True once the server has told that it knows "ttl", "entry" and "commit". */
  #knowsCommits = false;
  /** True once a proxy before the server, for example Apache, has refused a path with %2F or %5C. */
  #losesSlashes = false;
  /** @type {CallOrder<Call | Whole>} */
  #calls = new CallOrder((run) => this.#send(run), MAX_REQUESTS);

  /** @param {string} url */
  constructor(url) {
    this.#requests = new Requests(url);
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a URL");
  }

  /**
   * @param {string} id
   * @param {keyof typeof READS} [needs]
   */
  read(id, needs) {
    return this.#call([needs ? READS[needs] : "get", id]);
  }

  /**
   * @param {readonly import("../../core/client.js").Commit[]} commits
   * @param {number} now
   * @returns {Promise<readonly import("../../core/client.js").Outcome[]>}
   */
  commit(commits, now) {
    const change = onlyChange(commits);
    if (change) {
      const { id } = change;
      if (!isPut(change)) return this.#call(["del", id]);
      return this.#call(["set", id, change.value, lifeOf(change.expires, now)]);
    }
    if (commits.length > 1) return outcomesOf(commits.map((commit) => this.commit([commit], now)));
    const [first] = commits[0].expected;
    if (first?.found === KEY_ONLY) return this.#call(["del", first.id]); // By clear() of a range: without its value, there is nothing to compare.
    return this.#call(["commit", freshToken(), false, ...checksAndWrites(commits[0], now)], keysOf(commits[0]));
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range, wanted), range);
  }

  /**
   * @param {import("../../core/client.js").Range} range An older server ignores everything but the prefix.
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(range, wanted) {
    const { prefix } = range;
    const target = underPrefix(prefix) + boundsIn(range) + (wanted === "keys" ? "&keys" : "");
    const accept = `${LINES_TYPE}, ${JSON_TYPE}`;
    const response = await this.#whole(prefix, false, () => this.#requests.ask("GET", target, { accept }));
    if (isLines(response)) yield* this.#requests.linesOf(response, prefix, wanted);
    else yield this.#requests.pageOf(response, prefix, wanted);
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
    if (await this.#mayBeOurs()) return this.#requests.change("DELETE", target);
    const listed = await this.#requests.ask("GET", target, { accept: JSON_TYPE });
    const { ids } = await this.#requests.pageOf(listed, prefix, "keys");
    await someAtATime(ids, (id) => this.#makeOne(["del", id]));
  }

  /** @param {string} target */
  async #prune(target) {
    if (!(await this.#isOurs())) return 0; // Such a server does not expose its expired values.
    return this.#requests.change("POST", `${target}&prune`);
  }

  /** @param {unknown} reply */
  onTimeout(reply) {
    this.#calls.abandon(reply);
  }

  /**
   * @param {Call} call
   * @param {string[]} [keys]
   */
  #call(call, keys = [call[1]]) {
    // Other servers refuse a request that has a call which they do not know, so these calls share none until the server is known.
    const kind = this.#knowsCommits || !isNew(call) ? "call" : "new call";
    return this.#calls.add(call, { writes: isWrite(call), keys, kind });
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

  /** @param {import("../../support/batch.js").Pending<Call | Whole>[]} run Calls on keys, or one request on the whole store. */
  async #send(run) {
    const [{ request, resolve }] = run;
    if (typeof request === "function") return resolve(await request());
    const calls = /** @type {Pending[]} */ (run);
    if (isNew(calls[0].request) && !(await this.#mayCommit())) throw this.#requests.lacksCommits();
    if (this.#isOnePlain(calls) || !(await this.#mayBeOurs())) return this.#makeOneByOne(calls);
    for (const batch of batchesOf(calls)) {
      await (this.#isOnePlain(batch) ? this.#makeOneByOne(batch) : this.#makeTogether(batch));
    }
  }

  /**
   * True for a single call that a plain request serves as well as a batch. For `has` a batch is better, because the response to a plain
   * request would include the value.
   * @param {Pending[]} calls
   */
  #isOnePlain([{ request }, ...others]) {
    const [name, id] = request;
    return (
      others.length === 0 &&
      (name === "get" || name === "set" || name === "del") &&
      fitsPath(id) &&
      !(this.#losesSlashes && SLASH.test(id))
    );
  }

  /** @param {Pending[]} calls */
  async #makeTogether(calls) {
    const requests = calls.map(({ request }) => request);
    let outcomes;
    try {
      const response = await this.#post(requests);
      // Each call alone may be small enough.
      if (response.status === 413 && calls.length > 1) return this.#makeOneByOne(calls);
      outcomes = await this.#requests.outcomesOf(response, requests);
    } catch (error) {
      const commits = mayBeDone(error) ? calls.filter(({ request: [name] }) => name === "commit") : [];
      if (commits.length === 0) throw error;
      for (const call of calls) if (!commits.includes(call)) call.reject(error);
      return this.#repeat(commits, error);
    }
    this.#settle(calls, outcomes);
  }

  /**
   * Sends commits again that were not answered, and may have been made. The server makes none of them twice.
   * @param {Pending[]} commits
   * @param {unknown} error
   */
  async #repeat(commits, error) {
    const requests = commits.map(({ request: [, token, , checks, writes] }) => ["commit", token, true, checks, writes]);
    for (const delay of DELAYS) {
      await sleep(delay);
      try {
        const response = await this.#post(/** @type {Call[]} */ (requests));
        const outcomes = await this.#requests.outcomesOf(response, /** @type {Call[]} */ (requests));
        return this.#settle(commits, outcomes);
      } catch (later) {
        error = later;
      }
    }
    const reason = /** @type {Error} */ (error).message;
    for (const { reject } of commits)
      reject(this.#requests.doubtful(`none of ${DELAYS.length + 1} requests (${reason})`, error));
  }

  /**
   * @param {Pending[]} calls
   * @param {({ result: any } | { error: unknown })[]} outcomes
   */
  #settle(calls, outcomes) {
    for (const [i, call] of calls.entries()) {
      const outcome = outcomes[i];
      if ("error" in outcome) call.reject(outcome.error);
      else if (outcome.result === UNKNOWN && call.request[0] === "commit")
        call.reject(
          this.#requests.doubtful("that it does not know whether it made the change, as its answer was lost"),
        );
      else resolve(call, outcome.result);
    }
  }

  /** @param {Call[]} calls */
  #post(calls) {
    return this.#requests.send("POST", "/?batch", { body: JSON.stringify(calls) });
  }

  /**
   * Makes each call with a request of its own, several at a time; but calls on a key that is written run one after the other.
   * @param {Pending[]} calls
   */
  async #makeOneByOne(calls) {
    // A commit may concern several keys; with one, the calls keep their order altogether.
    const isOneLane = calls.some(({ request: [name] }) => name === "commit");
    const written = new Set(calls.filter(({ request }) => isWrite(request)).map(({ request: [, id] }) => id));
    /** @type {Map<unknown, Pending[]>} */
    const lanes = new Map();
    for (const call of calls) {
      const [, id] = call.request;
      const lane = isOneLane ? "" : written.has(id) ? id : call;
      lanes.set(lane, [...(lanes.get(lane) ?? []), call]);
    }
    const make = async (/** @type {Pending[]} */ lane) => {
      for (const call of lane) {
        if (isNew(call.request)) await this.#makeTogether([call]).catch(call.reject);
        else await this.#makeOne(call.request).then((result) => resolve(call, result), call.reject);
      }
    };
    const fitsLanePath = (/** @type {Pending[]} */ [{ request }]) => fitsPath(request[1]);
    const all = [...lanes.values()];
    await someAtATime(all.filter(fitsLanePath), make);
    // Calls whose keys fit into a path go first: if the server fails, their errors say more than ERR_KEY would.
    await someAtATime(
      all.filter((lane) => !fitsLanePath(lane)),
      make,
    );
  }

  /**
   * @param {Call} call
   * @returns {Promise<any>} Its result.
   */
  async #makeOne(call) {
    const [name, id, value, expires = null] = call;
    if (!fitsPath(id)) {
      if (await this.#mayBeOurs()) return this.#makeByBatch(call);
      const message = `The key ${show(id)} cannot be part of a URL path, and this server does not support batch requests. Use another key.`;
      throw new PolystoreTypeError("ERR_KEY", message);
    }
    const target = `/${encodeURIComponent(id)}`;
    if (!isWrite(call)) {
      const found = await this.#requests.find(target, id);
      if (found === undefined && (await this.#mayBeOurs())) return this.#makeByBatch(call);
      return name === "get" ? (found ?? null) : (found ?? null) !== null;
    }
    try {
      if (name === "del") return await this.#requests.change("DELETE", target);
      const body = encodeValue(value);
      return await this.#requests.change("PUT", expires === null ? target : `${target}?expires=${expires}`, { body });
    } catch (/** @type {any} */ error) {
      if (error.status === 404 && (await this.#mayBeOurs())) return this.#makeByBatch(call);
      throw error;
    }
  }

  /**
   * Makes a call whose key cannot be part of a URL path, or does not survive a proxy as one.
   * @param {Call} call
   */
  async #makeByBatch(call) {
    this.#losesSlashes ||= SLASH.test(call[1]);
    const [outcome] = await this.#requests.outcomesOf(await this.#post([call]), [call]);
    if ("error" in outcome) throw outcome.error;
    return outcome.result;
  }

  /** Like #isOurs(), but if the server answers with an error, treats it as another server, for this call only. */
  async #mayBeOurs() {
    try {
      return await this.#isOurs();
    } catch (/** @type {any} */ error) {
      if (error.status === undefined) throw error;
      return false;
    }
  }

  async #mayCommit() {
    return this.#knowsCommits || ((await this.#isOurs()) && this.#knowsCommits);
  }

  async #isOurs() {
    return (this.#speaksAll ??= await this.#ask());
  }

  /** Finds out whether the server has listings in lines. A HEAD request is safe, because it changes nothing on any server. */
  async #ask() {
    const response = await this.#requests.send("HEAD", underPrefix(""), { accept: LINES_TYPE });
    const isOurs = !UNKNOWN_REQUEST.includes(response.status) && isLines(await this.#requests.check(response));
    this.#knowsCommits = isOurs && (response.headers.get("content-type") ?? "").includes(COMMITS);
    return isOurs;
  }
}

const SLASH = /[/\\]/;

/**
 * True if a key can be part of a URL path: an empty segment, "." and ".." cannot.
 * @param {string} id
 */
const fitsPath = (id) => !["", ".", ".."].includes(id);

/** The calls that read more than a value. */
const READS = /** @type {const} */ ({ presence: "has", record: "entry", expiry: "ttl" });

/** @param {Call} call */
const isWrite = ([name]) => name === "set" || name === "del" || name === "commit";

/**
 * Tells whether only servers that have said so know a call.
 * @param {Call} call
 */
const isNew = ([name]) => name === "entry" || name === "ttl" || name === "commit";

/** Returns a text that no other commit has. Only secure pages have crypto.randomUUID(). */
const freshToken = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))));

/**
 * @param {number | null} expires
 * @param {number} now
 * @returns {number | null} In seconds.
 */
const lifeOf = (expires, now) => (expires === null ? null : (expires - now) / 1000);

/**
 * @param {import("../../core/client.js").Commit} commit
 * @param {number} now
 * @returns {[import("../../http/protocol.js").Check[], import("../../http/protocol.js").Write[]]}
 */
function checksAndWrites(commit, now) {
  const { expected } = commit;
  const found = new Map(expected.map((expectation) => [expectation.id, expectation.found]));
  return [
    expected.map(({ id, found }) => [id, found && /** @type {string} */ (found.version ?? { value: found.value })]),
    lastChanges(commit).map((change) => {
      if (!isPut(change)) return ["del", change.id];
      const { id, value, expires } = change;
      // The clocks of the client and the server may differ, and another writer may have renewed the value meanwhile.
      const keeps = expires !== null && found.get(id)?.expires === expires;
      return ["set", id, value, keeps ? "keep" : lifeOf(expires, now)];
    }),
  ];
}

/**
 * Returns the parameters for what a range asks for beyond its prefix. The bounds that the server gets lack the prefix.
 * @param {import("../../core/client.js").Range} range
 */
function boundsIn(range) {
  if (isPrefixOnly(range)) return "";
  const { prefix, reverse, limit, place: _, ...bounds } = range; // This client has no places.
  let query = `${reverse ? "&reverse" : ""}${limit === undefined ? "" : `&limit=${limit}`}`;
  for (const [name, bound] of Object.entries(bounds)) {
    if (bound === undefined) continue;
    const key = bound.slice(prefix.length);
    if (!bound.startsWith(prefix) || !isText(key)) return ""; // A URL cannot express it, so the client selects alone.
    query += `&${name}=${encodeURIComponent(key)}`;
  }
  return query;
}

/** @param {string} prefix */
function underPrefix(prefix) {
  requireText(prefix, "a URL");
  return `/?prefix=${encodeURIComponent(prefix)}`;
}

/** @param {Response} response */
function isLines(response) {
  return response.headers.get("content-type")?.startsWith(LINES_TYPE) ?? false;
}

/**
 * Divides calls into batches that a server takes. A call that is too large for a text is rejected.
 * @param {Pending[]} calls
 */
function* batchesOf(calls) {
  /** @type {Pending[]} */
  let batch = [];
  let length = 0;
  for (const call of calls) {
    let added = 0;
    try {
      added = JSON.stringify(call.request).length;
    } catch (error) {
      call.reject(error);
      continue;
    }
    if (batch.length === MAX_CALLS || (batch.length > 0 && length + added > MAX_BATCH_LENGTH)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(call);
    length += added;
  }
  if (batch.length > 0) yield batch;
}

/**
 * @param {Pending} call
 * @param {any} result
 */
function resolve({ request: [name], resolve }, result) {
  if (name === "set" || name === "del") resolve(DONE);
  else if (name === "commit") resolve([result]);
  else if (name === "has") resolve(result ? WITHOUT_EXPIRY : undefined);
  else if (result === null) resolve(undefined);
  else resolve(name === "get" ? { expires: null, value: result } : toRecord(result));
}

/** @param {{ value?: unknown, ttl: number | null, version?: string }} entry */
function toRecord({ value = true, ttl, version }) {
  return { expires: ttl === null ? null : Date.now() + ttl * 1000, value, version };
}

/**
 * @template Item
 * @param {Item[]} items
 * @param {(item: Item) => Promise<unknown>} act
 * @returns {Promise<void>} If an item failed, rejects after all actions have ended.
 */
async function someAtATime(items, act) {
  const left = items.values();
  const work = async () => {
    for (const item of left) await act(item);
  };
  const workers = Array.from({ length: Math.min(items.length, MAX_REQUESTS) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
