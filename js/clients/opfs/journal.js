// The journal of a log: the changes of its files that were made in a context that cannot write the files, for example a service
// worker. The journal is kept in an IndexedDB database until a worker opens the files.

import { hasDatabase, openDatabase } from "../indexeddb/indexed_database.js";
import { writeAll } from "./access_handle.js";

/** @typedef {import("./memory_file.js").Change} Change */
/** @typedef {import("./access_handle.js").AccessHandle} AccessHandle */
/** A change of one of the files, by its number. @typedef {Change & { file: number }} Entry */

const STORE_NAME = "journal";

/** @param {string} name Of the log. */
const databaseName = (name) => `polystore-wasm opfs-journal:${name}`;

/**
 * The entries have the keys [file, sequence], so that only the entries of one file are in order. But a commit is stored as a whole or
 * not at all, so that no file is ever older than another one.
 */
export class Journal {
  #database;
  #sequence = 0;
  /** The entries that are not committed yet. @type {Entry[]} */
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
   * Applies the changes of the journal to the files.
   * @param {AccessHandle[]} files In the order of their numbers.
   * @returns {Promise<number>} The number of changes.
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
   * Resolves once all added changes survive a power failure. After one failed commit, every later commit fails too, because its
   * changes depend on the lost ones.
   */
  commit() {
    this.#committing = this.#committing.then(() => this.#commitOnce());
    this.#committing.catch(() => {}); // The callers of commit() get the error.
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
      // An empty file needs no earlier entries. Removing them keeps the journal smaller than two logs.
      if ("size" in entry && entry.size === 0) store.delete(IDBKeyRange.bound([file], [file, Infinity]));
      store.put(entry, [file, ++this.#sequence]);
    }
    transaction.commit();
    await ended(transaction);
  }

  /** Removes all entries, durably. */
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
 * Applies the journal of a log, if it has one, to its files, and removes the journal.
 * @param {string} name Of the log.
 * @param {AccessHandle[]} files
 */
export async function bringIn(name, files) {
  if (!(await hasDatabase(databaseName(name)))) return;
  const journal = await Journal.open(name);
  try {
    if ((await journal.replay(files)) > 0) {
      for (const file of files) file.flush();
      await journal.clear(); // Before any later write: replaying the journal again would undo that write.
    }
  } finally {
    journal.close();
  }
  indexedDB.deleteDatabase(databaseName(name)); // The database is empty, so a failure does no harm.
}

/** @param {IDBTransaction} transaction */
function ended(transaction) {
  return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
