// The journal of a log: what was written to its files by a place that cannot write them, a service worker say. It is kept in a
// database until a worker opens the files.

import { hasDatabase, openDatabase } from "../indexeddb/indexed_database.js";
import { writeAll } from "./access_handle.js";

/** @typedef {import("./memory_file.js").Change} Change */
/** @typedef {import("./access_handle.js").AccessHandle} AccessHandle */
/** A change of one of the files, by its number. @typedef {Change & { file: number }} Entry */

const STORE_NAME = "journal";

/** @param {string} name Of the log. */
const databaseName = (name) => `polystore-wasm opfs-journal:${name}`;

/**
 * The entries have the keys [file, sequence], so the order is known of those of one file only; but all that is committed
 * together is there or not, so a file is never older than another.
 */
export class Journal {
  #database;
  #sequence = 0;
  /** What is not committed yet. @type {Entry[]} */
  #waiting = [];
  /** @type {Promise<void>} */
  #committing = Promise.resolve();

  /** @param {string} name Of the log. */
  static async open(name) {
    const create = (/** @type {IDBOpenDBRequest} */ { result }) => result.createObjectStore(STORE_NAME);
    return new Journal(await openDatabase(indexedDB, databaseName(name), create));
  }

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * Makes the changes of the journal in the files.
   * @param {AccessHandle[]} files In the order of their numbers.
   * @returns {Promise<number>} How many those were.
   */
  async replay(files) {
    const transaction = this.#database.transaction(STORE_NAME);
    const store = transaction.objectStore(STORE_NAME);
    const keys = store.getAllKeys();
    const entries = store.getAll();
    await ended(transaction);
    for (const entry of /** @type {Entry[]} */ (entries.result)) {
      if ("size" in entry) files[entry.file].truncate(entry.size);
      else writeAll(files[entry.file], entry.offset, entry.bytes);
    }
    for (const key of /** @type {[number, number][]} */ (keys.result))
      this.#sequence = Math.max(this.#sequence, key[1]);
    return keys.result.length;
  }

  /**
   * @param {number} file
   * @param {Change} change
   */
  add(file, change) {
    this.#waiting.push({ ...change, file });
  }

  /**
   * Resolves once all that was added outlasts a power failure. Where that failed once it fails always, for what comes behind
   * cannot do without it.
   */
  commit() {
    this.#committing = this.#committing.then(() => this.#commitOnce());
    this.#committing.catch(() => {}); // Whoever waits for it is told.
    return this.#committing;
  }

  async #commitOnce() {
    const entries = this.#waiting;
    if (entries.length === 0) return;
    this.#waiting = [];
    const transaction = this.#change();
    const store = transaction.objectStore(STORE_NAME);
    for (const entry of entries) {
      const { file } = entry;
      // Whatever was in an empty file: so the journal grows no larger than two logs.
      if ("size" in entry && entry.size === 0) store.delete(IDBKeyRange.bound([file], [file, Infinity]));
      store.put(entry, [file, ++this.#sequence]);
    }
    transaction.commit();
    await ended(transaction);
  }

  /** Forgets all entries, for good. */
  async clear() {
    const transaction = this.#change();
    transaction.objectStore(STORE_NAME).clear();
    await ended(transaction);
  }

  close() {
    this.#database.close();
  }

  #change() {
    return this.#database.transaction(STORE_NAME, "readwrite", { durability: "strict" });
  }
}

/**
 * Brings what is in the journal of a log, if it has one, into its files.
 * @param {string} name Of the log.
 * @param {AccessHandle[]} files
 */
export async function bringIn(name, files) {
  if (!(await hasDatabase(databaseName(name)))) return;
  const journal = await Journal.open(name);
  try {
    if ((await journal.replay(files)) > 0) {
      for (const file of files) file.flush();
      await journal.clear(); // Before anything is written behind it: else the next would undo that.
    }
  } finally {
    journal.close();
  }
  indexedDB.deleteDatabase(databaseName(name)); // Which is empty, so nobody waits for that, or minds if it fails.
}

/** @param {IDBTransaction} transaction */
function ended(transaction) {
  return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
