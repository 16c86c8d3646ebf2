// Where a log is kept when the browser gives us no private file system: in a database, until there is one.

import { hasDatabase } from "../indexeddb/indexed_database.js";
import { connect, IndexedDb, STORE_NAME } from "../indexeddb/indexeddb.js";
import { PAGE_LENGTH, readPage } from "../indexeddb/object_store.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { requireText } from "../../support/text_key.js";

/** How long a page may keep the database from being moved, in milliseconds; then that is left to the next owner. */
const PATIENCE = 2000;

/** The version of the database from which on there is a log, which has all that was in it. */
const MOVED = 2;

/** @param {string} name Of the log. */
const databaseName = (name) => `polystore-wasm opfs:${name}`;

/** It refuses the keys that a log refuses: moved into one, several of them would become one. */
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
 * Whether there is a log, as far as the database knows: then what it holds is old, and it must not be used in place of the log.
 * @param {string} name Of the log.
 */
export async function hasLog(name) {
  return (await look(databaseName(name))).version >= MOVED;
}

/**
 * Moves into a log what was kept in its place. Nobody is served meanwhile. What is moved takes the place of what is there, though
 * a page that has the database still may have written it before that.
 * @param {string} name
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit Saves what the engine wrote, where that takes more than a flush.
 * @throws {PolystoreError} If the log cannot take it. Then the database has it still.
 */
export async function moveIn(name, engine, commit) {
  const { version, isEmpty } = await look(databaseName(name));
  if (isEmpty && version >= MOVED) return;
  // Pages that have the database open are kept out while its version is changed, and wait: nothing that they write is lost. It
  // stays, empty, for to delete it would not wait for what such a page writes next: that is moved the next time.
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
      // There may be none yet, or somebody has deleted it meanwhile: then its version says that there is a log.
      if (!opening.result.objectStoreNames.contains(STORE_NAME)) opening.result.createObjectStore(STORE_NAME);
      else if (!isEmpty) moveAll(transaction.objectStore(STORE_NAME), engine, commit, fail);
    };
    // A browser that refuses databases gives nobody one in place of the log.
    opening.onerror = () => (isEmpty ? resolve(undefined) : reject(failure ?? opening.error));
    opening.onsuccess = () => {
      opening.result.close();
      resolve(undefined);
    };
    // A page that is at work lets go of it in a moment; one that is frozen does not, and must not keep all others waiting.
    opening.onblocked = () =>
      setTimeout(() => {
        isGivenUp = opening.readyState === "pending";
        if (isGivenUp) resolve(undefined);
      }, PATIENCE);
  });
}

/** @param {string} name Of a database, which may not be there. */
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
 * Moves all records of an object store into a log, which has them for good before they are removed.
 * @param {IDBObjectStore} store
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit
 * @param {(error: unknown) => void} fail
 * @param {IDBKeyRange} [range] Those that are left.
 * @param {number} [length] How many of them are moved at once.
 */
function moveAll(store, engine, commit, fail, range, length = FIRST_LENGTH) {
  readPage(store, range, length, ({ ids, found }) => {
    try {
      for (const [i, { value, expires }] of found.entries()) engine.put(String(ids[i]), JSON.stringify(value), expires);
      engine.apply();
      if (ids.length === length) {
        const rest = IDBKeyRange.lowerBound(ids.at(-1), true);
        return moveAll(store, engine, commit, fail, rest, nextLength(length, sizeOfAll(found), PAGE_LENGTH));
      }
      engine.flush();
      clearAfter(store, commit(), fail);
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * @param {IDBObjectStore} store
 * @param {Promise<void> | undefined} committing
 * @param {(error: unknown) => void} fail
 */
function clearAfter(store, committing, fail) {
  let isCommitted = !committing;
  committing?.then(() => (isCommitted = true), fail);
  // A transaction ends when nothing is asked of it any more.
  const proceed = () => {
    if (isCommitted) store.clear();
    else store.count().onsuccess = proceed;
  };
  proceed();
}
