import { ObjectStore } from "./object_store.js";

/**
 * A localForage instance. Its API makes a transaction a call; where its driver is IndexedDB we therefore use the object
 * store behind it, whose name is public, over a connection of our own.
 * @param {any} forage
 */
export async function openLocalForage(forage) {
  await forage.ready();
  if (forage.driver() !== forage.INDEXEDDB) return new LocalForage(forage);
  const { name, storeName } = forage.config();
  // localForage makes its database anew, if that is gone, at the next call.
  return new ObjectStore("FORAGE", name, storeName, () => forage.length());
}

/** localForage with a driver other than IndexedDB: each value is a record. */
class LocalForage {
  type = "FORAGE";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"both"} */
  copies = "both"; // A driver of the user's own may well hand out what it stores.
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
  write(id, value, expires) {
    return this.#forage.setItem(id, { expires, value });
  }

  /** @param {string} id */
  erase(id) {
    return this.#forage.removeItem(id);
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    /** @type {string[]} */
    const ids = [];
    /** @type {unknown[]} */
    const found = [];
    await this.#forage.iterate((/** @type {unknown} */ item, /** @type {string} */ id) => {
      if (!id.startsWith(prefix)) return;
      ids.push(id);
      found.push(item);
    });
    yield { ids, found };
  }
}
