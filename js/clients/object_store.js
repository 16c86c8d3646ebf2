import { Batch } from "./batch.js";

/** Records to a transaction of a listing: enough to make its cost small beside theirs, and little memory. */
const PAGE_LENGTH = 1000;

/**
 * As many reads in a row are worth a look at the keys around them: where at least every second one is asked for, all of
 * them are fetched in one request, which takes a fifth of the time of one request each.
 */
const MANY_READS = 32;

/**
 * A request of a batch: `run` places it in a transaction and says `done` with its result. One that takes several steps
 * has to be done before the next is placed, which would else come between them.
 * @typedef {object} Request
 * @property {boolean} writes
 * @property {boolean} stepwise
 * @property {string} [reads] The key that it reads, if it does nothing else.
 * @property {(store: IDBObjectStore, done: (result?: any) => void) => void} run
 * @property {any} [result]
 */
/** @typedef {import("./batch.js").Pending<Request>} Pending */

/**
 * An object store of an IndexedDB database that exists: each value is a record. Requests made in one tick share one
 * transaction, in their order. Somebody else owns the database, so its `versionchange` is honoured at once, and the
 * next request opens it again, after the owner has made it anew if it is gone.
 */
export class ObjectStore {
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"write"} */
  copies = "write";
  #databaseName;
  #storeName;
  #restore;
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;
  /** @type {Batch<Request>} */
  #batch = new Batch((batch) => this.#send(batch));

  /**
   * @param {string} type What `store.type` says.
   * @param {string} databaseName
   * @param {string} storeName
   * @param {() => Promise<unknown>} restore Lets the owner make the database anew.
   */
  constructor(type, databaseName, storeName, restore) {
    this.type = type;
    this.#databaseName = databaseName;
    this.#storeName = storeName;
    this.#restore = restore;
  }

  /** @param {string} id */
  read(id) {
    const run = (/** @type {IDBObjectStore} */ store, /** @type {(found: unknown) => void} */ done) => {
      const request = store.get(id);
      request.onsuccess = () => done(request.result);
    };
    return this.#batch.add({ writes: false, stepwise: false, run, reads: id });
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    return this.#write((store, done) => {
      store.put({ expires, value }, id).onsuccess = () => done();
    });
  }

  /** @param {string} id */
  erase(id) {
    return this.#write((store, done) => {
      store.delete(id).onsuccess = () => done();
    });
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    const run = (/** @type {IDBObjectStore} */ store, /** @type {(erased: number) => void} */ done) => {
      let left = evicted.length;
      let erased = 0;
      for (const { id, expires } of evicted) {
        const request = store.get(id);
        request.onsuccess = () => {
          if (request.result?.expires === expires) {
            store.delete(id);
            ++erased;
          }
          if (--left === 0) done(erased);
        };
      }
    };
    return this.#batch.add({ writes: true, stepwise: true, run });
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    const end = prefixEnd(prefix);
    let range = IDBKeyRange.bound(prefix, end, false, true);
    for (;;) {
      const run = (/** @type {IDBObjectStore} */ store, /** @type {(page: any) => void} */ done) => {
        const ids = store.getAllKeys(range, PAGE_LENGTH);
        const found = store.getAll(range, PAGE_LENGTH);
        found.onsuccess = () => done({ ids: ids.result, found: found.result });
      };
      const page = await this.#batch.add({ writes: false, stepwise: false, run });
      yield page;
      if (page.ids.length < PAGE_LENGTH) return;
      range = IDBKeyRange.bound(page.ids.at(-1), end, true, true);
    }
  }

  async close() {
    const database = await this.#database;
    this.#database = null;
    database?.close();
  }

  /** @param {Request["run"]} run */
  #write(run) {
    return this.#batch.add({ writes: true, stepwise: false, run });
  }

  /**
   * Calls that share a transaction by chance must not fail together: one value too many, and 999 that fit would be lost.
   * @param {Pending[]} batch
   */
  async #send(batch) {
    try {
      await this.#transact(batch);
    } catch (error) {
      if (batch.length === 1) throw error;
      for (const pending of batch) await this.#transact([pending]).catch(pending.reject);
    }
  }

  /** @param {Pending[]} batch */
  async #transact(batch) {
    const requests = batch.map(({ request }) => request);
    const writes = requests.some((request) => request.writes);
    const transaction = await this.#begin(writes ? "readwrite" : "readonly");
    await new Promise((resolve, reject) => {
      // Only the end of a transaction tells whether its writes happened.
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
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
          if (reads.length >= MANY_READS) {
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
      };
      place();
    });
    // All at once: woken one by one, 1,000 readers take twice as long.
    for (const { request, resolve } of batch) resolve(request.result);
  }

  /**
   * @param {IDBTransactionMode} mode
   * @returns {Promise<IDBTransaction>}
   */
  async #begin(mode) {
    try {
      return (await this.#open()).transaction(this.#storeName, mode);
    } catch (error) {
      const { name } = /** @type {DOMException} */ (error);
      // The connection was closed after we got it: a browser may do so at any time, and the owner may ask for it. Or the
      // database is gone, or the store in it: somebody dropped it, or cleared the site's data.
      if (!["InvalidStateError", "AbortError", "NotFoundError"].includes(name)) throw error;
      this.#database = null;
      if (name !== "InvalidStateError") await this.#restore();
      return (await this.#open()).transaction(this.#storeName, mode);
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    this.#database ??= new Promise((resolve, reject) => {
      const forget = () => {
        this.#database = null;
      };
      const opening = indexedDB.open(this.#databaseName);
      // There is nothing to upgrade for us: the database is gone, and it is not ours to make.
      opening.onupgradeneeded = () => opening.transaction?.abort();
      opening.onerror = () => {
        forget();
        reject(opening.error);
      };
      opening.onsuccess = () => {
        const database = opening.result;
        database.onclose = forget;
        database.onversionchange = () => {
          forget();
          database.close();
        };
        resolve(database);
      };
    });
    return this.#database;
  }
}

/**
 * The reads that follow one another from here on.
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
 * @param {() => void} proceed Called when what comes next may be placed.
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
      for (const read of reads) end(read, found.get(/** @type {string} */ (read.reads)));
    };
    proceed();
  };
}

/**
 * The first key after all those that begin with a prefix; keys are ordered by their UTF-16 code units.
 * @param {string} prefix
 * @returns {string | never[]}
 */
function prefixEnd(prefix) {
  const head = prefix.replace(/\uffff+$/, "");
  if (head === "") return []; // Every array comes after every string.
  return head.slice(0, -1) + String.fromCharCode(head.charCodeAt(head.length - 1) + 1);
}
