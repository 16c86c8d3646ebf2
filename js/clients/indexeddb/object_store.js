import { Batch } from "../../support/batch.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { isPut } from "../../support/commits.js";
import { arrangePages, isPrefixOnly, restOf } from "../../support/range.js";
import { isSameObject } from "../../support/record.js";
import { hasSameBounds, hasSamePlace, keyRangeOf } from "./key_range.js";
import { walk, walkPage } from "./object_store_walk.js";

/** The largest number of records in one transaction of a listing: its own cost is then small, and so is the memory. */
export const PAGE_LENGTH = 1000;

/**
 * From this number of consecutive reads on, the keys in their range are listed first. If at least every second of those keys is wanted, one
 * request reads the whole range, which is five times as fast as one request for each key.
 */
const MIN_RANGE_READS = 32;

/**
 * A request of a batch. `run` places it in a transaction and calls `done` with its result. A stepwise request takes several steps; it must
 * be done before the next request is placed, which would otherwise run between its steps.
 * @typedef {object} Request
 * @property {boolean} writes
 * @property {boolean} stepwise
 * @property {string} [reads] The key, if the request only reads one key.
 * @property {(store: IDBObjectStore, done: (result?: any) => void) => void} run
 * @property {any} [result]
 */
/** @typedef {import("../../support/batch.js").Pending<Request>} Pending */
/** @typedef {import("../../support/broadcast.js").Broadcast} Broadcast */

/**
 * The names of errors for a lost connection: the first if it was closed before the request, the second (by the standard) and the third
 * (in Chromium) if it is closed during the request.
 */
const LOST = ["InvalidStateError", "AbortError", "UnknownError"];

/** The number of idle connections of this page or process: the ones that were used last. */
const MAX_KEPT = 64;
/** The object stores with a connection. @type {Set<ObjectStore>} */
const kept = new Set();

/** Retries after a lost connection: while Chromium clears a site's data, it may close the next connection, too. */
const MAX_RETRIES = 2;

/**
 * An object store of an IndexedDB database; each value is a record. Requests made in one tick share one transaction, in order. On
 * `versionchange` the connection is closed at once, because another page waits to delete or upgrade the database; and a browser may close
 * a connection at any time. The next request opens the database again.
 */
export class ObjectStore {
  #storeName;
  #connect;
  #durability;
  #factory;
  /** @type {Promise<IDBDatabase> | null} */
  #connection = null;
  /** The factory that made the connection. @type {IDBFactory | undefined} */
  #connectedBy;
  /** @type {Batch<Request>} */
  #batch = new Batch((batch) => this.#send(batch));

  /**
   * @param {string} type The value of `store.type`.
   * @param {import("../../core/client.js").Traits["can"]} can
   * @param {string} storeName
   * @param {() => Promise<IDBDatabase>} connect Opens the database, and makes sure that it has the object store.
   * @param {IDBTransactionDurability} [durability] The durability of writes.
   * @param {() => IDBFactory} [factory] Returns the factory that `connect` uses, which a test may replace.
   * @param {Broadcast} [telling] Tells the other pages of changes.
   */
  constructor(type, can, storeName, connect, durability = "default", factory = () => indexedDB, telling = undefined) {
    /** @type {import("../../core/client.js").Traits} */
    this.traits = { type, can, copies: "write", atomic: "origin", isTransactional: true };
    this.#storeName = storeName;
    this.#connect = connect;
    this.#durability = durability;
    this.#factory = factory;
    this.telling = telling;
    if (telling) this.watch = (listener) => telling.watch(listener);
  }

  /** @type {import("../../core/client.js").Client["watch"]} */
  watch;

  /** @param {string} id */
  read(id) {
    const run = (/** @type {IDBObjectStore} */ store, /** @type {(found: unknown) => void} */ done) => {
      const request = store.get(id);
      request.onsuccess = () => done(request.result);
    };
    return this.#batch.add({ writes: false, stepwise: false, run, reads: id });
  }

  /** @param {readonly import("../../core/client.js").Commit[]} commits */
  commit(commits) {
    const run = (/** @type {IDBObjectStore} */ store, /** @type {(outcomes: boolean[]) => void} */ done) => {
      /** @type {boolean[]} */
      const outcomes = [];
      let left = commits.length;
      for (const [i, { expected, changes }] of commits.entries()) {
        compare(store, expected, (isExpected) => {
          if (isExpected) for (const change of changes) place(store, change);
          outcomes[i] = isExpected;
          if (--left === 0) done(outcomes); // A change may still fail until the transaction completes.
        });
      }
    };
    const stepwise = commits.some(({ expected }) => expected.length > 0);
    return this.#batch.add({ writes: true, stepwise, run });
  }

  /**
   * @param {readonly string[]} ids
   * @param {(found: unknown[]) => readonly import("../../core/client.js").Change[]} decide
   * @returns {Promise<void>}
   */
  change(ids, decide) {
    const run = (/** @type {IDBObjectStore} */ store, /** @type {() => void} */ done) => {
      /** @type {unknown[]} */
      const found = [];
      let left = ids.length;
      const act = () => {
        for (const change of decide(found)) place(store, change);
        done();
      };
      if (left === 0) act();
      for (const [i, id] of ids.entries()) {
        const request = store.get(id);
        request.onsuccess = () => {
          found[i] = request.result;
          if (--left === 0) act();
        };
      }
    };
    return this.#batch.add({ writes: true, stepwise: true, run });
  }

  /** @param {import("../../core/client.js").Range} range */
  scan(range) {
    if (isPrefixOnly(range)) return this.pages(range.prefix);
    if (this.#takesRanges() && hasSameBounds(range)) return this.#orderedPages(range);
    return arrangePages(this.pages(range.prefix), range);
  }

  /**
   * Lists the records of a range in the order of code points. It reads no further than the limit, unless it finds a key that IndexedDB
   * may have in another place.
   * @param {import("../../core/client.js").Range} range
   */
  async *#orderedPages(range) {
    let rest = range;
    for (let length = FIRST_LENGTH; rest.limit !== 0;) {
      const keys = keyRangeOf(rest);
      if (keys === null) return;
      const most = Math.min(length, rest.limit ?? length);
      const isReverse = range.reverse === true;
      const run = (/** @type {IDBObjectStore} */ store, /** @type {(page: any) => void} */ done) =>
        isReverse ? readLastPage(store, keys, most, done) : readPage(store, keys, most, done);
      const page = await this.#batch.add({ writes: false, stepwise: isReverse, run });
      const ids = /** @type {string[]} */ (page.ids);
      // The records before this page stand before all others in both orders, so only the rest has to be arranged.
      if (!ids.every((id) => hasSamePlace(id, range.prefix))) {
        yield* /** @type {AsyncGenerator<import("../../core/client.js").Page, void>} */ (
          arrangePages(this.pages(range.prefix), rest)
        );
        return;
      }
      yield page;
      if (ids.length < most) return;
      rest = restOf(rest, ids);
      length = nextLength(most, ids.length, sizeOfAll(page.found), PAGE_LENGTH);
    }
  }

  /** Lists all records with a prefix, in IndexedDB's order. @param {string} prefix */
  async *pages(prefix) {
    /** @type {string | undefined} */
    let after;
    let length = FIRST_LENGTH;
    for (;;) {
      const from = after;
      const most = length;
      const run = (/** @type {IDBObjectStore} */ store, /** @type {(page: any) => void} */ done) =>
        this.#takesRanges()
          ? readPage(store, keyRangeOf({ prefix, gt: from }), most, done)
          : walkPage(store, prefix, from, most, done);
      const page = await this.#batch.add({ writes: false, stepwise: !this.#takesRanges(), run });
      yield page;
      if (page.ids.length < most) return;
      after = page.ids.at(-1);
      length = nextLength(most, page.ids.length, sizeOfAll(page.found), PAGE_LENGTH);
    }
  }

  /**
   * Removes everything with the prefix, without checking that it is a record.
   * @param {string} prefix
   * @returns {Promise<void>}
   */
  removeAll(prefix) {
    const takesRanges = this.#takesRanges();
    const run = (/** @type {IDBObjectStore} */ store, /** @type {() => void} */ done) => {
      if (!takesRanges) return walk(store, prefix, undefined, (cursor) => void cursor.delete(), done);
      store.delete(/** @type {IDBKeyRange} */ (keyRangeOf({ prefix })));
      done();
    };
    return this.#batch.add({ writes: true, stepwise: !takesRanges, run });
  }

  async close() {
    this.telling?.close();
    await this.#rest();
  }

  /** Closes the connection, after its transactions, if it has any. The next request opens another one. */
  async #rest() {
    kept.delete(this);
    const connection = this.#connection;
    this.#connection = null;
    (await connection)?.close();
  }

  /** Keeps the connection for the next call. If too many are kept, the one that was used least recently is closed. */
  #keep() {
    kept.delete(this);
    kept.add(this);
    const [oldest] = kept;
    if (kept.size > MAX_KEPT) oldest.#rest();
  }

  /**
   * Sends a batch in one transaction. If the transaction fails, sends each call alone, so that one value that does not fit fails alone.
   * @param {Pending[]} batch
   * @param {number} [retries]
   * @returns {Promise<void>}
   */
  async #send(batch, retries = MAX_RETRIES) {
    let connection;
    try {
      connection = await this.#open();
      this.#keep();
      await this.#transact(connection, batch);
    } catch (error) {
      const name = /** @type {Partial<DOMException> | null} */ (error)?.name ?? "";
      if (retries > 0 && LOST.includes(name)) {
        if (connection) this.#leave(connection);
        return this.#send(batch, retries - 1);
      }
      if (!connection || batch.length === 1) throw error;
      for (const pending of batch) await this.#send([pending], retries).catch(pending.reject);
    }
  }

  /**
   * @param {IDBDatabase} connection
   * @param {Pending[]} batch
   */
  async #transact(connection, batch) {
    const requests = batch.map(({ request }) => request);
    const writes = requests.some((request) => request.writes);
    await new Promise((resolve, reject) => {
      const transaction = connection.transaction(this.#storeName, writes ? "readwrite" : "readonly", {
        durability: this.#durability,
      });
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      // Chromium never ends a transaction that began just after its connection was lost.
      connection.onclose = () => reject(new DOMException("The connection was closed.", "AbortError"));
      const store = transaction.objectStore(this.#storeName);
      let left = requests.length;
      const end = (/** @type {Request} */ request, /** @type {unknown} */ result) => {
        request.result = result;
        if (--left === 0 && !writes) resolve(undefined);
      };
      let next = 0;
      const place = () => {
        while (next < requests.length) {
          const reads = readsFrom(requests, next);
          if (reads.length >= MIN_RANGE_READS && this.#takesRanges()) {
            next += reads.length;
            return readMany(store, reads, end, place);
          }
          const request = requests[next++];
          request.run(store, (result) => {
            end(request, result);
            if (request.stepwise) place();
          });
          if (request.stepwise) return;
        }
        // Without commit(), the browser waits for the event of the last request, which makes a set() 10 % slower.
        if (writes) transaction.commit();
      };
      place();
    });
    // Resolved together: resolving each one in its own event takes twice as long for 1,000 reads.
    for (const { request, resolve } of batch) resolve(request.result);
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    if (this.#connection && this.#connectedBy !== this.#factory()) {
      this.#connection.then((connection) => connection.close()).catch(() => {});
      this.#connection = null;
    }
    this.#connectedBy = this.#factory();
    this.#connection ??= this.#connect().then(
      (connection) => {
        connection.onversionchange = () => this.#leave(connection);
        return connection;
      },
      (error) => {
        this.#connection = null;
        throw error;
      },
    );
    return this.#connection;
  }

  /** True if the factory accepts this platform's key ranges. fake-indexeddb, for example, only accepts its own. */
  #takesRanges() {
    return globalThis.IDBFactory !== undefined && this.#factory() instanceof IDBFactory;
  }

  /**
   * Closes a connection; the next request opens another one.
   * @param {IDBDatabase} connection
   */
  #leave(connection) {
    kept.delete(this);
    connection.close();
    this.#connection = null;
  }
}

/**
 * @param {IDBObjectStore} store
 * @param {readonly import("../../core/client.js").Expectation[]} expected
 * @param {(isExpected: boolean) => void} done
 */
function compare(store, expected, done) {
  if (expected.length === 0) return done(true);
  let left = expected.length;
  let isExpected = true;
  for (const { id, found } of expected) {
    const request = store.get(id);
    request.onsuccess = () => {
      isExpected &&= isSameObject(request.result, found);
      if (--left === 0) done(isExpected);
    };
  }
}

/**
 * @param {IDBObjectStore} store
 * @param {import("../../core/client.js").Change} change
 */
function place(store, change) {
  if (!isPut(change)) return store.delete(change.id);
  const { id, value, expires } = change;
  return store.put({ expires, value }, id);
}

/**
 * Returns the consecutive reads that start at an index.
 * @param {Request[]} requests
 * @param {number} start
 */
function readsFrom(requests, start) {
  let end = start;
  while (end < requests.length && requests[end].reads !== undefined) ++end;
  return requests.slice(start, end);
}

/**
 * @param {IDBObjectStore} store
 * @param {Request[]} reads
 * @param {(read: Request, found: unknown) => void} end
 * @param {() => void} proceed Called when the next request may be placed.
 */
function readMany(store, reads, end, proceed) {
  const wanted = [...new Set(reads.map(({ reads }) => /** @type {string} */ (reads)))].sort();
  const range = IDBKeyRange.bound(wanted[0], wanted.at(-1));
  const most = 2 * wanted.length;
  const keys = store.getAllKeys(range, most + 1);
  keys.onsuccess = () => {
    if (keys.result.length > most) {
      for (const read of reads) read.run(store, (found) => end(read, found));
      return proceed();
    }
    const values = store.getAll(range);
    values.onsuccess = () => {
      const found = new Map(keys.result.map((key, i) => [key, values.result[i]]));
      const given = new Set();
      for (const read of reads) {
        const value = found.get(/** @type {string} */ (read.reads));
        // A second read of the same key gets its own copy, as it would from a request of its own.
        end(read, given.has(read.reads) ? structuredClone(value) : value);
        given.add(read.reads);
      }
    };
    proceed();
  };
}

/**
 * Reads the first records of a range.
 * @param {IDBObjectStore} store
 * @param {IDBKeyRange | null} range
 * @param {number} most The largest number of records.
 * @param {(page: { ids: string[], found: any[] }) => void} done
 */
export function readPage(store, range, most, done) {
  const ids = store.getAllKeys(range, most);
  const found = store.getAll(range, most);
  found.onsuccess = () => done({ ids: /** @type {string[]} */ (ids.result), found: found.result });
}

/**
 * Reads the last records of a range, the last one first. It moves a cursor of keys to the first of them and reads from there: a cursor that
 * brings each record takes a step for each.
 * @param {IDBObjectStore} store
 * @param {IDBKeyRange} range
 * @param {number} most The largest number of records.
 * @param {(page: { ids: string[], found: any[] }) => void} done
 */
function readLastPage(store, range, most, done) {
  const opening = store.openKeyCursor(range, "prev");
  const read = (/** @type {IDBKeyRange} */ keys) =>
    readPage(store, keys, most, ({ ids, found }) => done({ ids: ids.reverse(), found: found.reverse() }));
  let isAtLast = true;
  opening.onsuccess = () => {
    const cursor = opening.result;
    if (!cursor) return read(range); // It has fewer records.
    if (!isAtLast || most === 1) return read(IDBKeyRange.bound(cursor.key, range.upper, false, range.upperOpen));
    isAtLast = false;
    cursor.advance(most - 1);
  };
}
