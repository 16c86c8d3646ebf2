import { Buffer } from "node:buffer";
import { quotaError, show } from "../../support/errors.js";
import { decodeExpiry, decodeRecord, encodeRecord, isRecord, isSameRecord } from "../../support/record.js";
import { CallOrder } from "../../support/call_order.js";
import { Leases } from "./leases.js";
import { isPut, onlyChange } from "../../support/commits.js";
import { arrangePages, boundsOf } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";

/** Records to a page of a listing. */
const PAGE_LENGTH = 1000;
/** What a server takes in one transaction, unless its owner says otherwise; of its 1.5 MB, the rest is left for the wrapping. */
const MAX_REQUESTS = 128;
const MAX_BYTES = 1 << 20;
/** Batches that are under way at most, all of which share a connection. */
const MOST_BATCHES = 32;
/** etcd has no empty key. This byte is no text, hence no other key. */
const EMPTY_KEY = Buffer.of(0xff);
/** The first key; as the end of a range: after the last. */
const ZERO_KEY = Buffer.of(0);

// What etcd says, to which etcd3 adds no more than the number of the status.
const TOO_LARGE = /larger than max/;
const NO_ROOM = /request is too large|database space exceeded|larger than max/;
/** It would take a part of the request, or another: an argument is wrong, something is not allowed, or there is no room. */
const REFUSAL = /^(3|7) |database space exceeded|larger than max/;
const LEASE_IS_GONE = /requested lease not found/;
/** In a comparison, by the numbers of the protocol: a name that etcd3 does not know would silently be the first there is. */
const EQUAL = 0;
const MOD_REVISION = 2;
const IS_COMPACTED = /required revision has been compacted/;

/**
 * @typedef {object} Request
 * @property {"get" | "put" | "delete" | "removeIf" | "list" | "sweep"} type
 * @property {string} id
 * @property {Range} [range] Of "list" and "sweep".
 * @property {import("../../support/record.js").StoredRecord | null} [found] What is to be there still, of "removeIf".
 * @property {Buffer} [value]
 * @property {number | null} [expires]
 */
/** @typedef {import("../../support/batch.js").Pending<Request>} Pending */
/** @typedef {{ key: Buffer, value: Buffer, mod_revision: string }} Pair */
/** @typedef {{ key: Buffer, range_end: Buffer, limit: number, revision?: string }} Range */

/** The outcomes of a commit that was made. */
const MADE = [true];
/** @param {Request} request */
const isChange = ({ type }) => type === "put" || type === "delete";

/** An Etcd3, or a namespace of one: each value is the JSON text of a record. Calls of one tick are few transactions. */
export class Etcd {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "ETCD3", can: ["list", "sweeps_all"], copies: "write" };
  #client;
  #pool;
  /** Knows the namespace, which is put before every key. */
  #names;
  #leases = new Leases(async (seconds) => (await this.#call("Lease", "leaseGrant", { TTL: seconds })).ID);
  /** @type {CallOrder<Request>} */
  #calls = new CallOrder((run) => this.#send(run), MOST_BATCHES);

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
    return this.#add({ type: "get", id }, (pair) => decodeRecord(toText(pair), id));
  }

  /** @param {readonly import("../../core/client.js").Commit[]} commits */
  commit(commits) {
    const change = onlyChange(commits);
    if (change) {
      const { id } = change;
      if (!isPut(change)) return this.#add({ type: "delete", id });
      const { value, expires } = change;
      return this.#add({ type: "put", id, value: Buffer.from(encodeRecord(value, expires)), expires });
    }
    const expected = commits.flatMap((commit) => commit.expected);
    return Promise.all(expected.map(({ id, found }) => this.#add({ type: "removeIf", id, found })));
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
      yield { ids: ours.map(({ id }) => id), found: ours.map(({ id, pair }) => decode(pair.value.toString(), id)) };
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

  close() {
    return this.#client.close?.(); // A namespace has no connection of its own to close.
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
   * Deletes the records of a range that are still as they were when they were listed: what another process writes meanwhile
   * stays.
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
   * @returns {Promise<boolean>} False if one of them has changed, and nothing was deleted.
   */
  async #deleteIfAllUnchanged(pairs) {
    const { succeeded } = await this.#commit(
      pairs.map(({ key, mod_revision }) => ({ key, target: MOD_REVISION, result: EQUAL, mod_revision })),
      pairs.map(({ key }) => ({ request_delete_range: { key } })),
    );
    return succeeded;
  }

  /**
   * One page of a listing; the next ones are of the same moment, and the range then begins with the next one.
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
        // A reply may have 4 MB, so a page has no more.
        if (says(error, TOO_LARGE) && range.limit > 1) range.limit = Math.ceil(range.limit / 4);
        // Servers forget the past, some after minutes. The rest is then of a later moment.
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
    const scope = { writes: type !== "get", keys: [id], kind: type === "removeIf" ? type : "call" };
    return this.#calls.add(request, scope, finish);
  }

  /** @param {Pending[]} run Of one kind. */
  async #send(run) {
    const [{ request, resolve }] = run;
    const { type, id, range } = request;
    if (range) return resolve(await (type === "sweep" ? this.#sweep(range, id) : this.#list(range)));
    for (const group of groupsOf(run)) await this.#settle(group);
  }

  /**
   * Sends a group; and if it is refused, its halves, so that no request is refused for what another has.
   * @param {Pending[]} group
   */
  async #settle(group) {
    try {
      const results = await this.#perform(group.map(({ request }) => request));
      for (const [i, { request, resolve }] of group.entries()) resolve(isChange(request) ? MADE : results[i]);
    } catch (error) {
      if (group.length > 1 && says(error, REFUSAL)) {
        const middle = group.length >> 1;
        await this.#settle(group.slice(0, middle));
        await this.#settle(group.slice(middle));
      } else {
        for (const { request, reject } of group) reject(toError(request, error));
      }
    }
  }

  /**
   * @param {Request[]} requests Of one group.
   * @returns {Promise<unknown[]>}
   */
  async #perform(requests) {
    if (requests[0].type === "removeIf") return this.#removeIf(requests);
    return this.#transactLeased(requests);
  }

  /** @param {Request[]} requests */
  async #transactLeased(requests) {
    try {
      return await this.#transact(requests);
    } catch (error) {
      if (!says(error, LEASE_IS_GONE)) throw error;
      this.#leases.forget();
      return this.#transact(requests);
    }
  }

  /**
   * @param {Request[]} requests
   * @returns {Promise<(Pair | undefined)[]>} What was read.
   */
  async #transact(requests) {
    if (requests.length === 1) return [await this.#transactOne(requests[0])];
    // A transaction may not write a key twice: the last one counts.
    const last = new Map(requests.filter(({ type }) => type !== "get").map((request) => [request.id, request]));
    const sent = requests.filter((request) => request.type === "get" || request === last.get(request.id));
    const operations = [];
    for (const request of sent) operations.push(await this.#operationOf(request));
    const { responses } = await this.#commit(
      [],
      operations.map(({ name, request }) => ({ [`request_${name}`]: request })),
    );
    /** @type {Map<Request, Pair>} */
    const found = new Map(sent.map((request, i) => [request, responses[i].response_range?.kvs[0]]));
    return requests.map((request) => found.get(request));
  }

  /**
   * Performs a request without a transaction around it, with which a put takes a tenth more.
   * @param {Request} request
   * @returns {Promise<Pair | undefined>} What was read.
   */
  async #transactOne(request) {
    const { name, request: message } = await this.#operationOf(request);
    const { kvs } = await this.#call("KV", name === "delete_range" ? "deleteRange" : name, message);
    return kvs?.[0];
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
   * Deletes the records that are still as they were read.
   * @param {Request[]} requests
   * @returns {Promise<boolean[]>} Whether each of them was.
   */
  async #removeIf(requests) {
    for (;;) {
      const pairs = await this.#transact(requests.map(({ id }) => ({ type: "get", id })));
      const isExpected = pairs.map((pair, i) => isSameRecord(decodeExpiry(toText(pair)), requests[i].found ?? null));
      const found = pairs.filter((pair, i) => pair !== undefined && isExpected[i]);
      if (found.length === 0) return isExpected;
      if (await this.#deleteIfAllUnchanged(/** @type {Pair[]} */ (found))) return isExpected;
    }
  }

  /**
   * @param {object[]} compare
   * @param {object[]} success
   */
  #commit(compare, success) {
    return this.#call("KV", "txn", { compare, success });
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
 * A pool that gives what a server refuses for want of room as a reply. etcd3 takes that for a failure of the server: it asks
 * three times more, and then lets nobody ask it anything for five seconds.
 * @param {any} pool
 */
function withoutAlarm(pool) {
  /**
   * @param {string} service
   * @param {(connection: object) => Promise<unknown>} call
   * @param {unknown} hosts
   */
  function withConnection(service, call, hosts) {
    const answer = async (/** @type {object} */ connection) => {
      try {
        return await call(connection);
      } catch (error) {
        if (says(error, REFUSAL)) return { refusal: error };
        throw error;
      }
    };
    return pool.withConnection(service, answer, hosts);
  }
  return Object.create(pool, { withConnection: { value: withConnection } });
}

/**
 * Splits a batch, in its order, into what can be one transaction: where a key is written several times, it is not read
 * in between.
 * @param {Pending[]} batch
 * @returns {Generator<Pending[], void>}
 */
function* groupsOf(batch) {
  /** @type {Pending[]} */
  let group = [];
  let bytes = 0;
  /** The keys that are written, and whether they are then read. @type {Map<string, boolean>} */
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
    // A conditional removal reads too.
    if (type === "removeIf") written.set(id, true);
    else if (type !== "get") written.set(id, false);
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
  return type === "put" && says(error, NO_ROOM) ? quotaError(`ETCD3 set(${show(id)})`, { cause: error }) : error;
}

/** @param {string} id */
function bytesOf(id) {
  return id === "" ? EMPTY_KEY : Buffer.from(id);
}

/**
 * @param {Buffer} key
 * @returns {string | undefined} Undefined for other code's bytes that are no text.
 */
function idOf(key) {
  if (key.equals(EMPTY_KEY)) return "";
  const text = key.toString();
  return text.includes("\ufffd") && !key.equals(Buffer.from(text)) ? undefined : text;
}

/** @param {Pair | undefined} pair */
function toText(pair) {
  return pair ? pair.value.toString() : null;
}

/**
 * @param {string} prefix
 * @returns {Range | null} Null where no key can lie.
 */
function rangeOf(prefix) {
  const range = boundsOf({ prefix });
  if (!range) return null;
  const [start, end] = range;
  const key = start === "" ? ZERO_KEY : Buffer.from(start);
  // The bytes of texts are in the order of their code points, and the empty key comes after all of them.
  const rangeEnd = start === "" ? ZERO_KEY : end === null ? EMPTY_KEY : Buffer.from(end);
  return { key, range_end: rangeEnd, limit: PAGE_LENGTH };
}
