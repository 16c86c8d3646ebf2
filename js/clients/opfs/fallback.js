// The place of a log while the browser has no private file system: an IndexedDB database.

import { hasDatabase } from "../indexeddb/indexed_database.js";
import { connect, IndexedDb, STORE_NAME } from "../indexeddb/indexeddb.js";
import { PAGE_LENGTH, readPage } from "../indexeddb/object_store.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { requireText } from "../../support/text_key.js";

/** How long an open page may delay the move of the database into the log, in milliseconds; after that, the next owner moves it. */
const PATIENCE = 2000;

/** From this version of the database on, a log exists, and all records of the database were moved into it. */
const MOVED = 2;

/** @param {string} name Of the log. */
const databaseName = (name) => `polystore-wasm opfs:${name}`;

/** The database refuses the keys that a log refuses: in a log, several such keys would become one key. */
class Fallback extends IndexedDb {
  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a log");
  }
}

/**
 * @param {string} name Of the log.
 * @param {import("../../core/client.js").Durability} durability
 */
export const openFallback = (name, durability) => new Fallback(databaseName(name), durability);

/**
 * True if a log exists, according to the version of the database. The records of the database are then outdated, and must not be used
 * in place of the log.
 * @param {string} name Of the log.
 */
export async function hasLog(name) {
  return (await look(databaseName(name))).version >= MOVED;
}

/**
 * Moves the records of the database into the log, before the log serves any request. A moved record replaces the log's record of the
 * same key, although a page that still has the database open may have written it earlier.
 * @param {string} name
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit Saves what the engine wrote, if a flush does not save it already.
 * @throws {PolystoreError} If the log cannot store the records. They then stay in the database.
 */
export async function moveIn(name, engine, commit) {
  const { version, isEmpty } = await look(databaseName(name));
  if (isEmpty && version >= MOVED) return;
  // A change of the version makes other pages close the database and wait, so that nothing they write is lost. The empty database
  // is kept: deleting it would not wait for what such a page writes next. The next owner moves those records.
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open(databaseName(name), Math.max(version + 1, MOVED));
    let isGivenUp = false;
    /** @type {unknown} */
    let failure;
    opening.onupgradeneeded = () => {
      const transaction = /** @type {IDBTransaction} */ (opening.transaction);
      const fail = (/** @type {unknown} */ error) => {
        failure = error;
        transaction.abort();
      };
      if (isGivenUp) return fail(undefined);
      // A new database (or one that was deleted meanwhile) only gets the version that says that a log exists.
      if (!opening.result.objectStoreNames.contains(STORE_NAME)) opening.result.createObjectStore(STORE_NAME);
      else if (!isEmpty) moveAll(transaction.objectStore(STORE_NAME), engine, commit, fail);
    };
    // A browser that refuses databases has no records to move.
    opening.onerror = () => (isEmpty ? resolve(undefined) : reject(failure ?? opening.error));
    opening.onsuccess = () => {
      opening.result.close();
      resolve(undefined);
    };
    // A running page closes the database at once. A frozen page does not, and must not keep all other pages waiting.
    opening.onblocked = () =>
      setTimeout(() => {
        isGivenUp = opening.readyState === "pending";
        if (isGivenUp) resolve(undefined);
      }, PATIENCE);
  });
}

/** Reads the version of a database, and whether it is empty. @param {string} name The database; it need not exist. */
async function look(name) {
  if (!(await hasDatabase(name))) return { version: 0, isEmpty: true };
  const database = await connect(indexedDB, name);
  try {
    const transaction = database.transaction(STORE_NAME);
    const counting = transaction.objectStore(STORE_NAME).count();
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return { version: database.version, isEmpty: counting.result === 0 };
  } finally {
    database.close();
  }
}

/**
 * Moves all records of an object store into a log. They are durable in the log before they are removed from the object store.
 * @param {IDBObjectStore} store
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit
 * @param {(error: unknown) => void} fail
 * @param {IDBKeyRange} [range] The range of the records that are left.
 * @param {number} [length] The number of records that are moved at once.
 */
function moveAll(store, engine, commit, fail, range, length = FIRST_LENGTH) {
  readPage(store, range, length, ({ ids, found }) => {
    try {
      for (const [i, { value, expires }] of found.entries()) engine.put(String(ids[i]), JSON.stringify(value), expires);
      engine.apply();
      if (ids.length === length) {
        const rest = IDBKeyRange.lowerBound(ids.at(-1), true);
        return moveAll(
          store,
          engine,
          commit,
          fail,
          rest,
          nextLength(length, ids.length, sizeOfAll(found), PAGE_LENGTH),
        );
      }
      engine.flush();
      clearAfter(store, commit(), fail);
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * Empties an object store once the log is saved. Until then it keeps the transaction active.
 * @param {IDBObjectStore} store
 * @param {Promise<void> | undefined} committing
 * @param {(error: unknown) => void} fail
 */
function clearAfter(store, committing, fail) {
  let isCommitted = !committing;
  committing?.then(() => (isCommitted = true), fail);
  // A transaction without a pending request ends, so requests are made until the log is saved.
  const proceed = () => {
    if (isCommitted) store.clear();
    else store.count().onsuccess = proceed;
  };
  proceed();
}
