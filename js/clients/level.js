import { PolystoreTypeError } from "../support/errors.js";
import { decodeExpiry, decodeRecord, encodeRecord, isRecord, isSameRecord } from "../support/record.js";
import { CallOrder } from "../support/call_order.js";
import { hasMethods } from "../support/has.js";
import { isPut, keysOf } from "../support/commits.js";
import { boundsOf } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** Records to a page of a listing. */
const PAGE_LENGTH = 1000;
/** Batches that are under way at most; a database makes most of them one after the other. */
const MOST_BATCHES = 32;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** UTF-8 of a database that keeps views: Level's own takes a U+FEFF off the beginning, so two keys would become one. */
const WHOLE_TEXT = {
  name: "polystore-text",
  format: "view",
  encode: (/** @type {string} */ text) => new TextEncoder().encode(text),
  decode: (/** @type {Uint8Array} */ bytes) => decoder.decode(bytes),
};

/**
 * A database, and the encodings that are said at every call, so that it does not matter with which it was opened.
 * @typedef {{ database: any, encodings: { keyEncoding: any, valueEncoding: string } }} Target
 */
/**
 * What a call reads and does, on one database; or the range that it lists or clears.
 * @typedef {{ target: Target, reads: string[], act: (changes: Changes) => unknown, range?: undefined }} Action
 * @typedef {{ target: Target, range: LevelRange, clears?: boolean }} Listing
 */
/** @typedef {{ bounds: import("../support/range.js").Bounds, reverse?: boolean, limit?: number }} LevelRange */
/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {{ type: "put" | "del", key: string, value?: string }} Operation */

/**
 * The order of calls on each database. Its sublevels share it: an eviction reads, compares and removes, and nothing that
 * another store writes to the same place may come in between.
 * @type {WeakMap<object, CallOrder<Action | Listing>>}
 */
const orders = new WeakMap();

/** @param {any} database */
export function openLevel(database) {
  if (!hasMethods(database, "getMany", "keys", "sublevel")) {
    const message =
      "kv() cannot wrap a database of levelup. Give it one of abstract-level: of the package level from version 8 on, memory-level, browser-level, or a sublevel.";
    throw new PolystoreTypeError("ERR_CLIENT", message);
  }
  return new Level(database);
}

/** An `abstract-level`: each value is the JSON text of a record. The writes of one tick are one atomic batch. */
class Level {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "LEVEL", can: ["list", "sweeps_all"], copies: "write" };
  #target;
  #calls;
  /** What comes before each key in the whole database. */
  #path;
  /** Whether a read is under way that did not queue. */
  #isReading = false;

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
    const decode = (/** @type {string | null} */ text) => decodeRecord(text, id);
    if (this.#maySkipQueue()) return this.#readAlone(id).then(decode);
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
   * Whether a read may be sent at once, which takes a sixth less time: nothing is to come before it, and what is written from
   * now on it does not see. Others that are asked for meanwhile are one call.
   */
  #maySkipQueue() {
    return this.#calls.isIdle && !this.#isReading && this.#target.database.supports.snapshots;
  }

  /** @param {string} id */
  async #readAlone(id) {
    this.#isReading = true;
    try {
      const [text = null] = await read(this.#target, [id]);
      return text;
    } finally {
      this.#isReading = false;
    }
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

/** What actions that go together see: what they read, and what those before them have changed. */
class Changes {
  /** @type {Operation[]} */
  operations = [];
  /** @type {Map<string, string | undefined>} */
  #texts = new Map();

  /**
   * @param {string[]} keys
   * @param {(string | undefined)[]} texts What was read at each.
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
   * @returns {boolean} Whether everything is as it expects.
   */
  commit({ expected, changes }) {
    if (!expected.every(({ id, found }) => isSameRecord(decodeExpiry(this.get(id)), found))) return false;
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
  // Text, and not JSON as with polystore, because one value that is not JSON would end a whole listing; the bytes are the same.
  return { database, encodings: { keyEncoding, valueEncoding: "utf8" } };
}

/** @param {any} database */
function rootOf(database) {
  const { db } = database; // A sublevel has its database here; a browser-level, which is not a sublevel, an IDBDatabase.
  return db && hasMethods(db, "getMany") ? db : database;
}

/** @param {any} root */
function callsOf(root) {
  const calls = orders.get(root) ?? new CallOrder(perform, MOST_BATCHES);
  orders.set(root, calls);
  return calls;
}

/**
 * @param {import("../support/batch.js").Pending<Action | Listing>[]} calls Actions on one database, or a listing.
 */
async function perform(calls) {
  const [{ request, resolve }] = calls;
  if (request.range) return resolve(await (request.clears ? clear(request) : list(request)));
  const actions = calls.map(({ request }) => /** @type {Action} */ (request));
  const results = await (actions.length === 1 ? apply(actions) : applyTogether(actions));
  for (const [i, { resolve }] of calls.entries()) resolve(results[i]);
}

/** @param {Action[]} actions */
async function applyTogether(actions) {
  try {
    return await apply(actions);
  } catch {
    // One that a hook of the user's refuses, for example, is not the fault of the others.
    const results = [];
    for (const action of actions) {
      const result = apply([action]).then(([result]) => result);
      results.push(result);
      await result.catch(() => {}); // Whoever called learns of it.
    }
    return results;
  }
}

/**
 * Opens a listing and reads its first page.
 * @param {Listing} listing
 */
async function list({ target, range }) {
  const { database } = target;
  const iterator = iteratorOf(target, range);
  // Without a snapshot, as in a browser, later pages would show what is written from now on: all is in memory then. On a disk,
  // Level's own bound on the bytes of an iterator ends a page before its number does.
  if (!database.supports.snapshots) return { iterator: null, entries: await iterator.all() };
  try {
    return { iterator, entries: await iterator.nextv(PAGE_LENGTH) };
  } catch (error) {
    await iterator.close();
    throw error;
  }
}

/**
 * Deletes the records of a range that are still as they were when they were listed: what other code writes meanwhile, or
 * another process where the database allows that, stays.
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

/** @param {Action[]} actions On one database. */
async function apply(actions) {
  const [{ target }] = actions;
  const changes = new Changes();
  const keys = actions.flatMap(({ reads }) => reads);
  if (keys.length > 0) changes.note(keys, await read(target, keys));
  const results = actions.map(({ act }) => act(changes));
  if (changes.operations.length > 0) await write(target, changes.operations);
  return results;
}

/**
 * @param {Target} target
 * @param {string[]} keys
 * @returns {Promise<(string | undefined)[]>}
 */
async function read({ database, encodings }, keys) {
  if (keys.length > 1) return database.getMany(keys, encodings);
  const text = await database.get(keys[0], encodings).catch(nothingIfAbsent); // A twentieth faster.
  return [text];
}

/** @param {any} error */
function nothingIfAbsent(error) {
  if (error.code === "LEVEL_NOT_FOUND") return undefined; // As level 8 has it.
  throw error;
}

/**
 * @param {Target} target
 * @param {Operation[]} operations
 */
function write({ database, encodings }, operations) {
  if (operations.length > 1) return database.batch(operations, encodings);
  const [{ type, key, value }] = operations; // A batch of one takes twice the time.
  return type === "put" ? database.put(key, value, encodings) : database.del(key, encodings);
}
