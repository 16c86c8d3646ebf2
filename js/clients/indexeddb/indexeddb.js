import { openDatabase } from "./indexed_database.js";
import { ObjectStore } from "./object_store.js";

/** The database of `kv(indexedDB)`. */
const DEFAULT_NAME = "polystore";
/** The object store in each database of ours. */
export const STORE_NAME = "polystore";

/**
 * @param {string | IDBFactory} input `indexeddb:name`, or the browser's `indexedDB`.
 * @param {import("../../core/client.js").Durability} durability
 * @throws {Error} Where there is no IndexedDB.
 */
export function openIndexedDb(input, durability) {
  if (typeof input !== "string") return new IndexedDb(DEFAULT_NAME, durability, input);
  return new IndexedDb(input.slice("indexeddb:".length), durability);
}

/** A database of our own in IndexedDB, which is made when it is first used, and again when it was deleted. */
export class IndexedDb extends ObjectStore {
  /**
   * @param {string} name The database's.
   * @param {import("../../core/client.js").Durability} durability
   * @param {IDBFactory} [given] If none is given, the global one of each moment: a test may replace it.
   * @throws {Error} Where there is no IndexedDB.
   */
  constructor(name, durability, given) {
    const factory = () => given ?? globalThis.indexedDB;
    if (!factory()) {
      const message =
        "there is no IndexedDB here. On a server, give kv() a file (file:///….json, file:///…/), a SQLite or a Level database; on a page without it, localStorage";
      throw new Error(message);
    }
    super("INDEXEDDB", ["list", "sweeps_all"], STORE_NAME, () => connect(factory(), name), durability, factory);
  }

  /**
   * All that lies in a database of ours is a record, so nothing has to be looked at.
   * @param {import("../../core/client.js").Range} range
   */
  sweep({ prefix }) {
    return this.removeAll(prefix);
  }
}

/**
 * Opens a database of ours, or makes one.
 * @param {IDBFactory} factory
 * @param {string} name
 * @param {number} [version]
 * @returns {Promise<IDBDatabase>}
 * @throws {Error} If it is somebody else's.
 */
export async function connect(factory, name, version) {
  const database = await openDatabase(factory, name, ({ result }) => result.createObjectStore(STORE_NAME), version);
  const stores = [...database.objectStoreNames];
  if (stores.includes(STORE_NAME)) return database;
  database.close();
  // One that somebody has opened and put nothing into is nobody's.
  if (stores.length === 0) return connect(factory, name, database.version + 1);
  const theirs = stores.map((store) => JSON.stringify(store)).join(", ");
  const message = `the database ${JSON.stringify(name)} is not ours, for it has ${theirs} and no object store "${STORE_NAME}". It was left as it is; give another name`;
  throw new Error(message);
}
