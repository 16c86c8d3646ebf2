import { Broadcast } from "../support/broadcast.js";
import { selectIds } from "../support/range.js";
import { openDatabase } from "./indexeddb/indexed_database.js";
import { ObjectStore } from "./indexeddb/object_store.js";

/**
 * Opens a localForage instance. Its API makes one transaction for each call. If its driver is IndexedDB, this client therefore uses the
 * object store behind it, whose name is public, through its own connection.
 * @param {any} forage
 */
export async function openLocalForage(forage) {
  await forage.ready();
  if (forage.driver() !== forage.INDEXEDDB) return new LocalForage(forage);
  const { name, storeName } = forage.config();
  const connect = () => connectTo(name, storeName);
  const reconnect = async () => {
    await forage.length(); // With its next call, localForage creates a deleted database again.
    return connect();
  };
  const telling = new Broadcast(`${name}/${storeName} of localForage`);
  const open = () => connect().catch(reconnect);
  return new ObjectStore("FORAGE", ["list"], storeName, open, undefined, undefined, telling);
}

/**
 * @param {string} name
 * @param {string} storeName
 */
async function connectTo(name, storeName) {
  // An upgrade means that the database was deleted. localForage has to create it, so abort.
  const database = await openDatabase(indexedDB, name, ({ transaction }) => transaction?.abort());
  if (database.objectStoreNames.contains(storeName)) return database;
  database.close();
  throw new Error(`the localForage database ${name} has no object store ${storeName}`);
}

/** localForage with a driver other than IndexedDB: each value is a record. */
class LocalForage {
  // A driver of the user may return the stored object itself.
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "FORAGE", can: ["list"], copies: "both", atomic: "none", isTransactional: false };
  #forage;

  /** @param {any} forage */
  constructor(forage) {
    this.#forage = forage;
  }

  /** @param {string} id */
  read(id) {
    return this.#forage.getItem(id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  put(id, value, expires) {
    return this.#forage.setItem(id, { expires, value });
  }

  /** @param {string} id */
  remove(id) {
    return this.#forage.removeItem(id);
  }

  /** @param {import("../core/client.js").Range} range */
  async *scan(range) {
    /** @type {Map<string, unknown>} */
    const items = new Map();
    // All records at once, because localForage cannot start an iteration after a key.
    await this.#forage.iterate((/** @type {unknown} */ item, /** @type {string} */ id) => void items.set(id, item));
    const ids = selectIds([...items.keys()], range);
    yield { ids, found: ids.map((id) => items.get(id)) };
  }
}
