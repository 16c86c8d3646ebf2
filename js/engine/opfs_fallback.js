// Where a log is kept when the browser gives us no private file system: in a database, until there is one.

import { IndexedDb } from "../clients/indexeddb.js";
import { requireText } from "../clients/text_key.js";

/** @param {string} name Of the log. */
const databaseName = (name) => `polystore-wasm opfs:${name}`;

/** It refuses the keys that a log refuses: moved into one, several of them would become one. */
class Fallback extends IndexedDb {
  /** @param {string} id */
  read(id) {
    requireText(id, "a log");
    return super.read(id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    requireText(id, "a log");
    return super.write(id, value, expires);
  }

  /** @param {string} id */
  erase(id) {
    requireText(id, "a log");
    return super.erase(id);
  }
}

/**
 * @param {string} name Of the log.
 * @param {import("../options.js").Durability} durability
 */
export const openFallback = (name, durability) => new Fallback(databaseName(name), durability);

/**
 * Moves into a log what was kept in its place. Nobody is served meanwhile, so what is moved is newer than what is there.
 * @param {string} name
 * @param {import("./engine.js").Engine} engine
 */
export async function moveIn(name, engine) {
  if (!(await exists(databaseName(name)))) return;
  const database = openFallback(name, "relaxed");
  try {
    for await (const { ids, found } of database.pages("")) {
      for (const [i, { value, expires }] of found.entries()) engine.put(ids[i], JSON.stringify(value), expires);
      engine.apply();
    }
    engine.flush();
  } finally {
    await database.close();
  }
  await new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(databaseName(name));
    deleting.onsuccess = resolve;
    deleting.onerror = () => reject(deleting.error);
  });
}

/** @param {string} name */
async function exists(name) {
  // A browser that refuses has no database for us either.
  const databases = (await globalThis.indexedDB?.databases?.().catch(() => [])) ?? [];
  return databases.some((database) => database.name === name);
}
