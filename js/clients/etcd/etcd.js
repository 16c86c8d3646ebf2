import { Buffer } from "node:buffer";
import { PolystoreError, quotaError, show } from "../../support/errors.js";
import { decodeExpiry, decodeRecord, encodeRecord, isRecord, isSameRecord } from "../../support/record.js";
import { CallOrder } from "../../support/call_order.js";
import { inHalves } from "../../support/in_halves.js";
import { Leases } from "./leases.js";
import { isPut, keysOf, lastChanges, onlyChange, outcomesOf } from "../../support/commits.js";
import { MAYBE } from "../../support/hint.js";
import { lostAnswerError } from "../../support/lost_answer.js";
import { clearTimeout, setTimeout } from "../../support/real_timers.js";
import { arrangePages, boundsOf } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";

/** The number of records in a page of a listing. */
const PAGE_LENGTH = 1000;
/** A server's default limits for a transaction. Its limit is 1.5 MB; the difference is left for the encoding of the message. */
const MAX_REQUESTS = 128;
const MAX_BYTES = 1 << 20;
/** The number of batches that may be under way; they share one connection. */
const MAX_BATCHES = 32;
/** Stands for the empty key, which etcd does not support. This byte is not valid UTF-8, so it differs from every other key. */
const EMPTY_KEY = Buffer.of(0xff);
/** The first key; as the end of a range, it means the end of all keys. */
const ZERO_KEY = Buffer.of(0);

// Error messages of etcd. etcd3 puts only the number of the status before them.
const TOO_LARGE = /larger than max/;
const NO_ROOM = /request is too large|database space exceeded|larger than max/;
/** The server refused this request, but may accept a part of it: an argument is invalid, a right is missing, or the storage is full. */
const REFUSAL = /^(3|7) |database space exceeded|larger than max/;
const LEASE_IS_GONE = /requested lease not found/;
/** Numbers of the protocol for comparisons. etcd3 would silently replace a name that it does not know by the first one. */
const EQUAL = 0;
const MOD_REVISION = 2;
const IS_COMPACTED = /required revision has been compacted/;
/** The pause before another attempt to watch, if the server has refused one, in milliseconds. */
const RETRY = 1000;

/**
 * @typedef {object} Request
 * @property {"get" | "put" | "delete" | "commit" | "list" | "sweep"} type
 * @property {string} id For "commit", one of its keys.
 * @property {Range} [range] For "list" and "sweep".
 * @property {readonly Expectation[]} [expected] For "commit".
 * @property {Request[]} [changes] For "commit": puts and deletions of different keys.
 * @property {Buffer} [value]
 * @property {number | null} [expires]
 */
/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Expectation} Expectation */
/** @typedef {import("../../support/record.js").StoredRecord} StoredRecord */
/** @typedef {import("../../support/batch.js").Pending<Request>} Pending */
/** @typedef {{ key: Buffer, value: Buffer, mod_revision: string }} Pair */
/** @typedef {{ key: Buffer, range_end: Buffer, limit: number, revision?: string }} Range */

/** The outcomes of one successful commit. */
const MADE = [true];

/** An Etcd3 or a namespace of one. Each value is the JSON text of a record. The calls of one tick share a few transactions. */
export class Etcd {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "ETCD3", can: ["list", "sweeps_all"], copies: "write", atomic: "storage", isTransactional: true };
  #client;
  #pool;
  /** Adds the namespace to every key, and removes it. */
  #names;
  /** The watcher of etcd3, while somebody watches. @type {any} */
  #watcher = null;
  #leases = new Leases(async (seconds) => (await this.#call("Lease", "leaseGrant", { TTL: seconds })).ID);
  /** @type {CallOrder<Request>} */
  #calls = new CallOrder((run) => this.#send(run), MAX_BATCHES, true);

  /** @param {any} client */
  constructor(client) {
    this.#client = client;
    this.#pool = withoutAlarm(client.pool);
    this.#names = client.nsApplicator;
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "etcd");
  }

  /** @param {string} id */
  read(id) {
    return this.#add({ type: "get", id }, (pair) => toRecord(pair, id, decodeRecord));
  }

  /**
   * @param {readonly Commit[]} commits
   * @returns {Promise<readonly import("../../core/client.js").Outcome[]>}
   */
  commit(commits) {
    const change = onlyChange(commits);
    if (change) return this.#add(toRequest(change));
    if (commits.length > 1) return outcomesOf(commits.map((commit) => this.commit([commit])));
    const [{ expected }] = commits;
    const changes = lastChanges(commits[0]).map(toRequest);
    const keys = keysOf(commits[0]);
    const count = Math.max(expected.length, changes.length);
    if (count > MAX_REQUESTS) return Promise.reject(tooManyError(count));
    const request = /** @type {const} */ ({ type: "commit", id: keys[0], expected, changes });
    return this.#calls.add(request, { writes: true, keys, kind: "commit" });
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
    const decode = wanted === "keys" ? decodeExpiry : decodeRecord;
    const range = rangeOf(prefix);
    if (!range) return;
    const request = /** @type {const} */ ({ type: "list", id: prefix, range });
    let page = await this.#calls.add(request, { writes: false, prefix });
    while (page) {
      const ours = this.#withPrefix(page.pairs, prefix);
      yield { ids: ours.map(({ id }) => id), found: ours.map(({ id, pair }) => toRecord(pair, id, decode)) };
      page = page.more && (await this.#list(range));
    }
  }

  /** @param {import("../../core/client.js").Range} range */
  sweep({ prefix }) {
    const range = rangeOf(prefix);
    return range ? this.#calls.add({ type: "sweep", id: prefix, range }, { writes: true, prefix }) : undefined;
  }

  /** @param {unknown} reply */
  onTimeout(reply) {
    this.#calls.abandon(reply);
  }

  /**
   * Watches all keys of the namespace. etcd3 connects again by itself.
   * @param {import("../../core/client.js").WatchListener} listener
   * @returns {Promise<import("../../core/client.js").Watch>}
   */
  async watch({ changed, gap }) {
    let isLost = false;
    let hasEnded = false;
    /** @type {any} */
    let timer;
    const tell = (/** @type {Pair} */ { key, value }) => {
      const id = idOf(key);
      // A deleted pair has an empty value.
      if (id !== undefined) changed(id, MAYBE, decodeExpiry(value.toString())?.expires);
    };
    const begin = async () => {
      const watcher = await this.#client.watch().inRange({ start: ZERO_KEY, end: ZERO_KEY }).create();
      watcher.on("put", tell).on("delete", tell);
      watcher.on("disconnected", () => (isLost = true));
      watcher.on("connected", () => {
        if (isLost) gap();
        isLost = false;
      });
      watcher.on("error", beginAgain);
      this.#watcher = watcher;
      if (hasEnded) await this.#endWatch();
    };
    // The server has ended the watch, for example because it has compacted the revision at which the connection was lost.
    const beginAgain = () => {
      this.#watcher = null;
      begin().then(gap, () => {
        if (!hasEnded) timer = setTimeout(beginAgain, RETRY).unref();
      });
    };
    await begin();
    const close = () => {
      hasEnded = true;
      clearTimeout(timer);
      return this.#endWatch();
    };
    return { reach: "storage", compares: true, close };
  }

  /** Ends the watch, if there is one. A client that is closed before that would try to reach the server for ever. */
  async #endWatch() {
    const watcher = this.#watcher;
    this.#watcher = null;
    await watcher?.cancel();
  }

  async close() {
    await this.#endWatch();
    return this.#client.close?.(); // A namespace has no connection of its own, and no close().
  }

  /**
   * @param {Pair[]} pairs
   * @param {string} prefix
   */
  #withPrefix(pairs, prefix) {
    return pairs.flatMap((pair) => {
      const id = idOf(this.#names.unprefix(pair.key));
      return id?.startsWith(prefix) ? [{ id, pair }] : [];
    });
  }

  /**
   * Deletes the records of a range that are unchanged since they were listed. Records that another process writes meanwhile stay.
   * @param {Range} range
   * @param {string} prefix
   */
  async #sweep(range, prefix) {
    for (let more = true; more;) {
      const page = await this.#list(range);
      const ours = this.#withPrefix(page.pairs, prefix).map(({ pair }) => pair);
      const records = ours.filter(({ value }) => isRecord(decodeExpiry(value.toString())));
      for (let i = 0; i < records.length; i += MAX_REQUESTS)
        await this.#deleteUnchanged(records.slice(i, i + MAX_REQUESTS));
      more = page.more;
    }
  }

  /** @param {Pair[]} pairs */
  async #deleteUnchanged(pairs) {
    while (pairs.length > 0 && !(await this.#deleteIfAllUnchanged(pairs))) {
      const { responses } = await this.#commit(
        [],
        pairs.map(({ key }) => ({ request_range: { key } })),
      );
      pairs = pairs.filter((pair, i) => responses[i].response_range.kvs[0]?.mod_revision === pair.mod_revision);
    }
  }

  /**
   * @param {Pair[]} pairs
   * @returns {Promise<boolean>} False if one of them has changed; nothing was deleted then.
   */
  async #deleteIfAllUnchanged(pairs) {
    const { succeeded } = await this.#commit(
      pairs.map(({ key, mod_revision }) => ({ key, target: MOD_REVISION, result: EQUAL, mod_revision })),
      pairs.map(({ key }) => ({ request_delete_range: { key } })),
    );
    return succeeded;
  }

  /**
   * Returns one page of a listing, and moves the start of `range` to the next page. All pages have the same revision.
   * @param {Range} range
   * @returns {Promise<{ pairs: Pair[], more: boolean }>}
   */
  async #list(range) {
    for (;;) {
      try {
        const { header, kvs, more } = await this.#call("KV", "range", this.#names.applyToRequest(range));
        range.revision = header.revision;
        if (more) range.key = Buffer.concat([this.#names.unprefix(kvs[kvs.length - 1].key), ZERO_KEY]);
        return { pairs: kvs, more };
      } catch (error) {
        // A reply is limited to 4 MB, so request a smaller page.
        if (says(error, TOO_LARGE) && range.limit > 1) range.limit = Math.ceil(range.limit / 4);
        // Servers compact old revisions, some after minutes. The remaining pages then have a later revision.
        else if (says(error, IS_COMPACTED) && range.revision !== undefined) range.revision = undefined;
        else throw error;
      }
    }
  }

  /**
   * @param {Request} request
   * @param {(pair: Pair | undefined) => unknown} [finish]
   */
  #add(request, finish) {
    const { type, id } = request;
    return this.#calls.add(request, { writes: type !== "get", keys: [id], kind: "call" }, finish);
  }

  /** @param {Pending[]} run Calls of one kind. */
  async #send(run) {
    const [{ request, resolve }] = run;
    const { type, id, range } = request;
    if (range) return resolve(await (type === "sweep" ? this.#sweep(range, id) : this.#list(range)));
    const isRefused = (/** @type {unknown} */ error) => says(error, REFUSAL);
    const fail = (/** @type {Pending} */ { request, reject }, /** @type {unknown} */ error) =>
      reject(toError(request, error));
    for (const group of type === "commit" ? commitGroupsOf(run) : groupsOf(run))
      await inHalves(group, (some) => this.#settle(some), isRefused, fail);
  }

  /** @param {Pending[]} group */
  async #settle(group) {
    if (group[0].request.type === "commit") {
      const outcomes = await this.#leased(() => this.#commitAll(group.map(({ request }) => request)));
      for (const [i, { resolve }] of group.entries()) resolve([outcomes[i]]);
      return;
    }
    const results = await this.#leased(() => this.#transact(group.map(({ request }) => request)));
    for (const [i, { request, resolve }] of group.entries()) resolve(request.type === "get" ? results[i] : MADE);
  }

  /**
   * Runs a transaction, and again if its leases have ended.
   * @template Result
   * @param {() => Promise<Result>} transact
   */
  async #leased(transact) {
    try {
      return await transact();
    } catch (error) {
      if (!says(error, LEASE_IS_GONE)) throw error;
      this.#leases.forget();
      return transact();
    }
  }

  /**
   * @param {Request[]} requests
   * @returns {Promise<(Pair | undefined)[]>} The pairs that were read.
   */
  async #transact(requests) {
    if (requests.length === 1) return [await this.#transactOne(requests[0])];
    // A transaction may write a key only once, so only the last write is sent.
    const last = new Map(requests.filter(({ type }) => type !== "get").map((request) => [request.id, request]));
    const sent = requests.filter((request) => request.type === "get" || request === last.get(request.id));
    const { responses } = await this.#commit([], await this.#operationsOf(sent));
    /** @type {Map<Request, Pair>} */
    const found = new Map(sent.map((request, i) => [request, responses[i].response_range?.kvs[0]]));
    return requests.map((request) => found.get(request));
  }

  /**
   * Sends a request without a transaction, which would make a put 10 % slower.
   * @param {Request} request
   * @returns {Promise<Pair | undefined>} The pair that was read.
   */
  async #transactOne(request) {
    const { name, request: message } = await this.#operationOf(request);
    const { kvs } = await this.#call("KV", name === "delete_range" ? "deleteRange" : name, message);
    return kvs?.[0];
  }

  /** @param {Request[]} requests */
  async #operationsOf(requests) {
    const operations = [];
    for (const request of requests) {
      const { name, request: message } = await this.#operationOf(request);
      operations.push({ [`request_${name}`]: message });
    }
    return operations;
  }

  /** @param {Request} request */
  async #operationOf({ type, id, value, expires = null }) {
    const key = bytesOf(id);
    if (type === "get") return { name: "range", request: this.#names.applyToRequest({ key }) };
    if (type === "delete") return { name: "delete_range", request: this.#names.applyToRequest({ key }) };
    const lease = expires === null ? undefined : await this.#leases.lasting((expires - Date.now()) / 1000);
    return { name: "put", request: this.#names.applyToRequest({ key, value, lease }) };
  }

  /**
   * Makes the commits whose expectations hold. They are compared and made in one transaction; if anything has changed, that transaction
   * reads it instead, and the next one makes the commits that are left.
   * @param {Request[]} commits One group.
   * @returns {Promise<boolean[]>} The outcome of each commit.
   */
  async #commitAll(commits) {
    const all = commits.flatMap(expectationsOf);
    /** The revision of each key, as far as it is known; 0 means that it does not exist. @type {Map<string, unknown>} */
    const revisions = new Map(all.map(({ id, found }) => [id, found?.version ?? 0]));
    for (let left = commits; ;) {
      const expected = left.flatMap(expectationsOf);
      const compare = expected.map(({ id }) => ({
        ...this.#names.applyToRequest({ key: bytesOf(id) }),
        target: MOD_REVISION,
        result: EQUAL,
        mod_revision: revisions.get(id),
      }));
      const changes = await this.#operationsOf(left.flatMap(({ changes = [] }) => changes));
      const reads = await this.#operationsOf(expected.map(({ id }) => ({ type: "get", id })));
      const { succeeded, responses, isRepeated } = await this.#commit(compare, changes, reads);
      if (succeeded) return commits.map((commit) => left.includes(commit));
      if (isRepeated) throw lostAnswerError("etcd");
      /** @type {Map<Expectation, Pair | undefined>} */
      const pairs = new Map(expected.map((expectation, i) => [expectation, responses[i].response_range.kvs[0]]));
      for (const [{ id }, pair] of pairs) revisions.set(id, pair?.mod_revision ?? 0);
      const isExpected = (/** @type {Expectation} */ expectation) =>
        isSameRecord(toRecord(pairs.get(expectation), expectation.id, decodeExpiry), expectation.found);
      left = left.filter((commit) => expectationsOf(commit).every(isExpected));
      if (left.length === 0) return commits.map(() => false);
    }
  }

  /**
   * @param {object[]} compare
   * @param {object[]} success What is done if each comparison holds.
   * @param {object[]} [failure] What is done otherwise.
   */
  #commit(compare, success, failure = []) {
    return this.#call("KV", "txn", { compare, success, failure });
  }

  /**
   * @param {string} service
   * @param {string} method
   * @param {object} request
   */
  async #call(service, method, request) {
    const reply = await this.#pool.exec(service, method, request);
    if (reply.refusal) throw reply.refusal;
    return reply;
  }
}

/**
 * Wraps a pool so that a refusal becomes a reply. etcd3 treats a refusal as a failure of the server: it retries three times, and then
 * blocks all calls for five seconds. It also retries if the connection is lost, and does not tell; here, the reply of a later attempt says
 * that it `isRepeated`.
 * @param {any} pool
 */
function withoutAlarm(pool) {
  /** The calls of which an attempt was made. etcd3 takes the hosts for all attempts of a call from one generator. @type {WeakSet<object>} */
  const attempted = new WeakSet();
  /**
   * @param {string} service
   * @param {(connection: object) => Promise<any>} call
   * @param {object} hosts
   */
  function withConnection(service, call, hosts) {
    const isRepeated = attempted.has(hosts);
    attempted.add(hosts);
    const answer = async (/** @type {object} */ connection) => {
      try {
        const reply = await call(connection);
        return isRepeated ? { ...reply, isRepeated } : reply;
      } catch (error) {
        if (says(error, REFUSAL)) return { refusal: error };
        throw error;
      }
    };
    return pool.withConnection(service, answer, hosts);
  }
  return Object.create(pool, { withConnection: { value: withConnection } });
}

/** @param {Request} commit */
const expectationsOf = ({ expected = [] }) => expected;

/**
 * @param {import("../../core/client.js").Change} change
 * @returns {Request}
 */
function toRequest(change) {
  const { id } = change;
  if (!isPut(change)) return { type: "delete", id };
  const { value, expires } = change;
  return { type: "put", id, value: Buffer.from(encodeRecord(value, expires)), expires };
}

/** @param {number} count */
function tooManyError(count) {
  const message = `etcd cannot make ${count} changes in one step: it accepts at most ${MAX_REQUESTS} in a transaction. Make fewer at a time.`;
  return new PolystoreError("ERR_UNSUPPORTED", message);
}

/**
 * Splits a batch, in order, into groups that can each be one transaction: a key that is written several times must not be read in
 * between.
 * @param {Pending[]} batch
 * @returns {Generator<Pending[], void>}
 */
function* groupsOf(batch) {
  /** @type {Pending[]} */
  let group = [];
  let bytes = 0;
  /** The keys that are written, and whether they are read after that. @type {Map<string, boolean>} */
  let written = new Map();
  for (const pending of batch) {
    const { type, id, value } = pending.request;
    const size = id.length + (value?.length ?? 0);
    const fits = group.length < MAX_REQUESTS && bytes + size <= MAX_BYTES && !(type !== "get" && written.get(id));
    if (!fits) {
      if (group.length > 0) yield group;
      group = [];
      bytes = 0;
      written = new Map();
    }
    group.push(pending);
    bytes += size;
    if (type !== "get") written.set(id, false);
    else if (written.has(id)) written.set(id, true);
  }
  if (group.length > 0) yield group;
}

/**
 * @param {unknown} error
 * @param {RegExp} what
 */
function says(error, what) {
  return error instanceof Error && what.test(error.message);
}

/**
 * @param {Request} request
 * @param {unknown} error
 */
function toError({ type, id }, error) {
  return (type === "put" || type === "commit") && says(error, NO_ROOM)
    ? quotaError(`ETCD3 set(${show(id)})`, { cause: error })
    : error;
}

/**
 * Splits commits, in order, into groups that can each be one transaction, which may concern a key only once.
 * @param {Pending[]} batch
 * @returns {Generator<Pending[], void>}
 */
function* commitGroupsOf(batch) {
  /** @type {Pending[]} */
  let group = [];
  let operations = 0;
  let bytes = 0;
  /** @type {Set<string>} */
  let ids = new Set();
  for (const pending of batch) {
    const { expected = [], changes = [] } = pending.request;
    const count = Math.max(expected.length, changes.length);
    const size = changes.reduce((sum, { id, value }) => sum + id.length + (value?.length ?? 0), 0);
    const all = [...expected, ...changes].map(({ id }) => id);
    const fits = operations + count <= MAX_REQUESTS && bytes + size <= MAX_BYTES && !all.some((id) => ids.has(id));
    if (!fits && group.length > 0) {
      yield group;
      group = [];
      operations = 0;
      bytes = 0;
      ids = new Set();
    }
    group.push(pending);
    operations += count;
    bytes += size;
    for (const id of all) ids.add(id);
  }
  yield group;
}

/** @param {string} id */
function bytesOf(id) {
  return id === "" ? EMPTY_KEY : Buffer.from(id);
}

/**
 * @param {Buffer} key
 * @returns {string | undefined} Undefined if the key is not valid UTF-8, so that other code must have written it.
 */
function idOf(key) {
  if (key.equals(EMPTY_KEY)) return "";
  const text = key.toString();
  return text.includes("\ufffd") && !key.equals(Buffer.from(text)) ? undefined : text;
}

/**
 * Decodes a record with its version, which is its revision.
 * @param {Pair | undefined} pair
 * @param {string} id
 * @param {typeof decodeRecord | typeof decodeExpiry} decode
 * @returns {StoredRecord | undefined}
 */
function toRecord(pair, id, decode) {
  const record = pair && decode(pair.value.toString(), id);
  return isRecord(record) ? { ...record, version: pair?.mod_revision } : undefined;
}

/**
 * @param {string} prefix
 * @returns {Range | null} Null if no key can lie in the range.
 */
function rangeOf(prefix) {
  const range = boundsOf({ prefix });
  if (!range) return null;
  const [start, end] = range;
  const key = start === "" ? ZERO_KEY : Buffer.from(start);
  // UTF-8 sorts in the order of code points, and the byte for the empty key sorts after all texts.
  const rangeEnd = start === "" ? ZERO_KEY : end === null ? EMPTY_KEY : Buffer.from(end);
  return { key, range_end: rangeEnd, limit: PAGE_LENGTH };
}
