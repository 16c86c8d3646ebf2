import { PolystoreTypeError } from "../support/errors.js";
import { decodeExpiry, decodeRecord, decodeVersion, encodeRecord, isRecord, isSameText } from "../support/record.js";
import { CallOrder } from "../support/call_order.js";
import { hasMethods } from "../support/has.js";
import { inHalves } from "../support/in_halves.js";
import { isPut, keysOf } from "../support/commits.js";
import { boundsOf } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** The number of records in a page of a listing. */
const PAGE_LENGTH = 1000;
/** The number of batches that may be under way. A database runs most of them one after the other. */
const MAX_BATCHES = 32;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** UTF-8 for a database that stores views. Level's own encoding drops a U+FEFF at the start, so two keys would become one. */
const WHOLE_TEXT = {
  name: "polystore-text",
  format: "view",
  encode: (/** @type {string} */ text) => new TextEncoder().encode(text),
  decode: (/** @type {Uint8Array} */ bytes) => decoder.decode(bytes),
};

/**
 * A database, and the encodings that are passed with every call, so that the encodings it was opened with do not matter.
 * @typedef {{ database: any, encodings: { keyEncoding: any, valueEncoding: string } }} Target
 */
/**
 * An Action is what a call reads and changes in one database; a Listing is the range that a call lists or clears.
 * @typedef {{ target: Target, reads: string[], act: (changes: Changes) => unknown, range?: undefined }} Action
 * @typedef {{ target: Target, range: LevelRange, clears?: boolean }} Listing
 */
/** @typedef {import("../support/batch.js").Pending<Action>} PendingAction */
/** @typedef {{ bounds: import("../support/range.js").Bounds, reverse?: boolean, limit?: number }} LevelRange */
/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {{ type: "put" | "del", key: string, value?: string }} Operation */

/**
 * The order of calls on each database, which its sublevels share. A conditional removal reads, compares and removes; no write of another
 * store to the same key may come in between.
 * @type {WeakMap<object, CallOrder<Action | Listing>>}
 */
const orders = new WeakMap();

/** @param {any} database */
export function openLevel(database) {
  if (!hasMethods(database, "getMany", "keys", "sublevel")) {
    const message =
      "kv() cannot wrap a database of levelup. Pass one of abstract-level: from the package level (version 8 or later), memory-level or browser-level, or a sublevel.";
    throw new PolystoreTypeError("ERR_CLIENT", message);
  }
  return new Level(database);
}

/** An `abstract-level`: each value is the JSON text of a record. The writes of one tick are one atomic batch. */
class Level {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "LEVEL", can: ["list", "sweeps_all"], copies: "write", atomic: "process", isTransactional: true };
  #target;
  #calls;
  /** The prefix of this sublevel's keys in the whole database. */
  #path;

  /** @param {any} database */
  constructor(database) {
    this.#target = targetOf(database);
    const root = rootOf(database);
    this.#calls = callsOf(root);
    this.#path = database === root ? "" : database.prefix;
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "Level");
  }

  /** @param {string} id */
  read(id) {
    const decode = (/** @type {string | null} */ text) => decodeVersion(text, id);
    return this.#add([id], [id], false, (changes) => changes.get(id), decode);
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    const ids = commits.flatMap(keysOf);
    const reads = commits.flatMap(({ expected }) => expected.map(({ id }) => id));
    return this.#add(ids, reads, true, (changes) => commits.map((commit) => changes.commit(commit)));
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   */
  async *scan(range, wanted) {
    const decode = wanted === "keys" ? decodeExpiry : decodeRecord;
    const bounds = boundsOf(range);
    if (!bounds) return;
    const { prefix, reverse, limit } = range;
    const scope = { writes: false, prefix: this.#path + prefix };
    const request = { target: this.#target, range: { bounds, reverse, limit } };
    let { iterator, entries } = await this.#calls.add(request, scope);
    try {
      while (entries.length > 0) {
        yield {
          ids: entries.map((/** @type {[string, string]} */ [id]) => id),
          found: entries.map((/** @type {[string, string]} */ [id, text]) => decode(text, id)),
        };
        entries = iterator ? await iterator.nextv(PAGE_LENGTH) : [];
      }
    } finally {
      await iterator?.close();
    }
  }

  /** @param {import("../core/client.js").Range} range */
  sweep(range) {
    const bounds = boundsOf(range);
    if (!bounds) return undefined;
    const scope = { writes: true, prefix: this.#path + range.prefix };
    return this.#calls.add({ target: this.#target, range: { bounds }, clears: true }, scope);
  }

  close() {
    return this.#target.database.close();
  }

  /** @param {unknown} reply */
  onTimeout(reply) {
    this.#calls.abandon(reply);
  }

  /**
   * @param {string[]} ids
   * @param {string[]} reads
   * @param {boolean} writes
   * @param {Action["act"]} act
   * @param {(result: any) => unknown} [finish]
   */
  #add(ids, reads, writes, act, finish) {
    const target = this.#target;
    const keys = this.#path === "" ? ids : ids.map((id) => this.#path + id);
    return this.#calls.add({ target, reads, act }, { writes, keys, kind: target }, finish);
  }
}

/** The texts that a group of actions sees: what was read for them, with the changes of the earlier actions of the group. */
class Changes {
  /** @type {Operation[]} */
  operations = [];
  /** @type {Map<string, string | undefined>} */
  #texts = new Map();

  /**
   * @param {string[]} keys
   * @param {(string | undefined)[]} texts The text of each key.
   */
  note(keys, texts) {
    for (const [i, key] of keys.entries()) this.#texts.set(key, texts[i]);
  }

  /** @param {string} key */
  get(key) {
    return this.#texts.get(key) ?? null;
  }

  /**
   * @param {Commit} commit
   * @returns {boolean} True if its expectations hold.
   */
  commit({ expected, changes }) {
    if (!expected.every(({ id, found }) => isSameText(this.get(id), found))) return false;
    for (const change of changes) {
      const { id } = change;
      if (isPut(change)) this.#make({ type: "put", key: id, value: encodeRecord(change.value, change.expires) });
      else this.#make({ type: "del", key: id });
    }
    return true;
  }

  /** @param {Operation} operation */
  #make(operation) {
    this.operations.push(operation);
    this.#texts.set(operation.key, operation.value);
  }
}

/**
 * @param {any} database
 * @returns {Target}
 */
function targetOf(database) {
  const keyEncoding = database.keyEncoding("utf8").format === "view" ? WHOLE_TEXT : "utf8";
  // Text instead of polystore's JSON encoding: with that, one value that is not JSON would end a whole listing. The bytes are the same.
  return { database, encodings: { keyEncoding, valueEncoding: "utf8" } };
}

/** @param {any} database */
function rootOf(database) {
  const { db } = database; // For a sublevel, this is its database. For a browser-level, it is an IDBDatabase.
  return db && hasMethods(db, "getMany") ? db : database;
}

/** @param {any} root */
function callsOf(root) {
  const calls = orders.get(root) ?? new CallOrder(perform, MAX_BATCHES, true);
  orders.set(root, calls);
  return calls;
}

/**
 * @param {import("../support/batch.js").Pending<Action | Listing>[]} calls Actions on one database, or one listing.
 */
async function perform(calls) {
  const [{ request, resolve }] = calls;
  if (request.range) return resolve(await (request.clears ? clear(request) : list(request)));
  // One bad action is for example one that a hook of the user refuses.
  await inHalves(/** @type {PendingAction[]} */ (calls), apply, () => true);
}

/**
 * Opens a listing and reads its first page.
 * @param {Listing} listing
 */
async function list({ target, range }) {
  const { database } = target;
  const iterator = iteratorOf(target, range);
  // Without snapshots, as in a browser, later pages would show later writes, so everything is read now. On a disk, a page may have
  // fewer records, because Level limits the bytes that an iterator reads ahead.
  if (!database.supports.snapshots) return { iterator: null, entries: await iterator.all() };
  try {
    return { iterator, entries: await iterator.nextv(PAGE_LENGTH) };
  } catch (error) {
    await iterator.close();
    throw error;
  }
}

/**
 * Deletes the records of a range that are unchanged since they were listed. Records that other code writes meanwhile stay; so do those
 * of another process, if the database allows several.
 * @param {Listing} listing
 */
async function clear({ target, range }) {
  const iterator = iteratorOf(target, range);
  try {
    for (let entries; (entries = await iterator.nextv(PAGE_LENGTH)).length > 0;) {
      const records = /** @type {[string, string][]} */ (entries).filter(([, text]) => isRecord(decodeExpiry(text)));
      if (records.length === 0) continue;
      const keys = records.map(([key]) => key);
      const texts = await read(target, keys);
      const unchanged = keys.filter((_, i) => texts[i] === records[i][1]);
      if (unchanged.length > 0)
        await write(
          target,
          unchanged.map((key) => ({ type: "del", key })),
        );
    }
  } finally {
    await iterator.close();
  }
}

/**
 * @param {Target} target
 * @param {Listing["range"]} range
 */
function iteratorOf({ database, encodings }, { bounds: [gte, end], reverse = false, limit = -1 }) {
  return database.iterator({ gte, ...(end !== null && { lt: end }), reverse, limit, ...encodings });
}

/** @param {PendingAction[]} calls Actions on one database. */
async function apply(calls) {
  const [{ request }] = calls;
  const { target } = request;
  const changes = new Changes();
  const keys = calls.flatMap(({ request }) => request.reads);
  if (keys.length > 0) changes.note(keys, await read(target, keys));
  const results = calls.map(({ request }) => request.act(changes));
  if (changes.operations.length > 0) await write(target, changes.operations);
  for (const [i, { resolve }] of calls.entries()) resolve(results[i]);
}

/**
 * @param {Target} target
 * @param {string[]} keys
 * @returns {Promise<(string | undefined)[]>}
 */
async function read({ database, encodings }, keys) {
  if (keys.length > 1) return database.getMany(keys, encodings);
  const text = await database.get(keys[0], encodings).catch(undefinedIfMissing); // 5 % faster than getMany().
  return [text];
}

/** @param {any} error */
function undefinedIfMissing(error) {
  if (error.code === "LEVEL_NOT_FOUND") return undefined; // Version 8 of level rejects for a missing key.
  throw error;
}

/**
 * @param {Target} target
 * @param {Operation[]} operations
 */
function write({ database, encodings }, operations) {
  if (operations.length > 1) return database.batch(operations, encodings);
  const [{ type, key, value }] = operations; // Twice as fast as a batch of one.
  return type === "put" ? database.put(key, value, encodings) : database.del(key, encodings);
}
