import { selectIds } from "../support/range.js";
import { openDatabase } from "./indexeddb/indexed_database.js";
import { ObjectStore } from "./indexeddb/object_store.js";

/**
 * A localForage instance. Its API makes a transaction a call; where its driver is IndexedDB we therefore use the object
 * store behind it, whose name is public, over a connection of our own.
 * @param {any} forage
 */
export async function openLocalForage(forage) {
  await forage.ready();
  if (forage.driver() !== forage.INDEXEDDB) return new LocalForage(forage);
  const { name, storeName } = forage.config();
  const connect = () => connectTo(name, storeName);
  return new ObjectStore("FORAGE", ["list"], storeName, () =>
    connect().catch(async () => {
      await forage.length(); // At its next call, localForage makes anew what is gone.
      return connect();
    }),
  );
}

/**
 * @param {string} name
 * @param {string} storeName
 */
async function connectTo(name, storeName) {
  // There is nothing to upgrade for us: the database is gone, and it is not ours to make.
  const database = await openDatabase(indexedDB, name, ({ transaction }) => transaction?.abort());
  if (database.objectStoreNames.contains(storeName)) return database;
  database.close();
  throw new Error(`localForage's database ${name} has no object store ${storeName}`);
}

/** localForage with a driver other than IndexedDB: each value is a record. */
class LocalForage {
  // A driver of the user's own may well hand out what it stores.
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "FORAGE", can: ["list"], copies: "both" };
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
    // All at once, for it cannot begin behind a key.
    await this.#forage.iterate((/** @type {unknown} */ item, /** @type {string} */ id) => void items.set(id, item));
    const ids = selectIds([...items.keys()], range);
    yield { ids, found: ids.map((id) => items.get(id)) };
  }
}
