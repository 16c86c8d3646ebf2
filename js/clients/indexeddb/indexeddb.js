import { Broadcast } from "../../support/broadcast.js";
import { openDatabase } from "./indexed_database.js";
import { ObjectStore } from "./object_store.js";

/** The database of `kv(indexedDB)`. */
const DEFAULT_NAME = "polystore";
/** The name of the object store in each of polystore's databases. */
export const STORE_NAME = "polystore";

/**
 * @param {string | IDBFactory} input `indexeddb:name`, or the browser's `indexedDB`.
 * @param {import("../../core/client.js").Durability} durability
 * @throws {Error} If there is no IndexedDB.
 */
export function openIndexedDb(input, durability) {
  if (typeof input !== "string") return new IndexedDb(DEFAULT_NAME, durability, input);
  return new IndexedDb(input.slice("indexeddb:".length), durability);
}

/** A database of polystore's own in IndexedDB. It is created when it is first used, and again if it was deleted. */
export class IndexedDb extends ObjectStore {
  /**
   * @param {string} name The name of the database.
   * @param {import("../../core/client.js").Durability} durability
   * @param {IDBFactory} [given] By default the global one, which is looked up each time because a test may replace it.
   * @throws {Error} If there is no IndexedDB.
   */
  constructor(name, durability, given) {
    const factory = () => given ?? globalThis.indexedDB;
    if (!factory()) {
      const message =
        "IndexedDB is not available here. On a server, pass a file (file:///….json, file:///…/), a SQLite or a Level database to kv(); on a page, localStorage";
      throw new Error(message);
    }
    const telling = new Broadcast(`indexeddb:${name}`);
    super(
      "INDEXEDDB",
      ["list", "sweeps_all"],
      STORE_NAME,
      () => connect(factory(), name),
      durability,
      factory,
      telling,
    );
  }

  /**
   * Removes all values without reading them, because everything in a database of polystore's own is a record.
   * @param {import("../../core/client.js").Range} range
   */
  sweep({ prefix }) {
    return this.removeAll(prefix);
  }
}

/**
 * Opens a database of polystore's own, or creates it.
 * @param {IDBFactory} factory
 * @param {string} name
 * @param {number} [version]
 * @returns {Promise<IDBDatabase>}
 * @throws {Error} If other code created it.
 */
export async function connect(factory, name, version) {
  const database = await openDatabase(factory, name, ({ result }) => result.createObjectStore(STORE_NAME), version);
  const stores = [...database.objectStoreNames];
  if (stores.includes(STORE_NAME)) return database;
  database.close();
  // Other code opened it without creating anything in it, so use it.
  if (stores.length === 0) return connect(factory, name, database.version + 1);
  const theirs = stores.map((store) => JSON.stringify(store)).join(", ");
  const message = `the database ${JSON.stringify(name)} was not created by polystore: it has ${theirs} but no object store "${STORE_NAME}". It was left unchanged. Use another name`;
  throw new Error(message);
}
