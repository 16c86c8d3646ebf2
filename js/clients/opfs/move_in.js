// Moves the records of the database that stood in for a log (fallback.js) into the log.

import { databaseName, MOVED, versionOf } from "./fallback.js";
import { STORE_NAME } from "../indexeddb/indexeddb.js";
import { PAGE_LENGTH, readPage } from "../indexeddb/object_store.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { PolystoreError, show } from "../../support/errors.js";
import { encodeValue } from "../../support/record.js";

/** How long the browser may take to open the database, in milliseconds. */
const OPENING_PATIENCE = 10_000;
/** How long another page may keep the database open once the browser has asked it to close it, in milliseconds. */
const BLOCKED_PATIENCE = 2000;

/**
 * Moves the records of the database into the log, before the log serves any request. A change of the version makes the pages that use
 * the database close it first, and shows them afterwards that there is a log, which they use from then on. So everything that was
 * written to the database is older than everything that this log serves.
 * @param {string} name Of the log.
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit Saves what the engine wrote, if a flush does not save it already.
 * @throws {PolystoreError} If the log cannot store the records, or if another page does not let go of the database. Serving the log
 *   without these records would show an old state, and their move would later replace newer ones. They stay in the database.
 */
export async function moveIn(name, engine, commit) {
  const version = await versionOf(name);
  if (version >= MOVED) return;
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open(databaseName(name), MOVED);
    let isGivenUp = false;
    /** @type {unknown} */
    let failure;
    const giveUp = () => {
      isGivenUp = true;
      const message = `Another page of this site does not let go of the database with the records of the log ${show(name)}, perhaps because the browser has suspended that page. Nothing was read or written. Show or close that page, and try again.`;
      reject(new PolystoreError("ERR_CLIENT", message));
    };
    let timer = setTimeout(giveUp, OPENING_PATIENCE);
    // A running page closes the database at once. A suspended page does not, and must not keep all other pages waiting.
    opening.onblocked = () => {
      clearTimeout(timer);
      if (!isGivenUp) timer = setTimeout(giveUp, BLOCKED_PATIENCE);
    };
    opening.onupgradeneeded = () => {
      clearTimeout(timer);
      const transaction = /** @type {IDBTransaction} */ (opening.transaction);
      const fail = (/** @type {unknown} */ error) => {
        failure = error;
        transaction.abort();
      };
      if (isGivenUp) return fail(undefined);
      if (!opening.result.objectStoreNames.contains(STORE_NAME)) opening.result.createObjectStore(STORE_NAME);
      else moveAll(transaction.objectStore(STORE_NAME), engine, commit, fail);
    };
    opening.onerror = () => {
      clearTimeout(timer);
      // A browser that refuses databases has no records to move.
      if (version === 0 && !failure) resolve(undefined);
      else reject(failure ?? opening.error);
    };
    opening.onsuccess = () => {
      clearTimeout(timer);
      opening.result.close();
      resolve(undefined);
    };
  });
}

/**
 * Moves all records of an object store into a log. They are durable in the log before they are removed from the object store.
 * @param {IDBObjectStore} store
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {() => Promise<void> | undefined} commit
 * @param {(error: unknown) => void} fail
 * @param {IDBKeyRange | null} [range] The range of the records that are left; null for all.
 * @param {number} [length] The number of records that are moved at once.
 */
function moveAll(store, engine, commit, fail, range = null, length = FIRST_LENGTH) {
  readPage(store, range, length, ({ ids, found }) => {
    try {
      for (const [i, { value, expires }] of found.entries()) engine.put(String(ids[i]), encodeValue(value), expires);
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
