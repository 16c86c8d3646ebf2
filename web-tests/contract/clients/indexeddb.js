import { subject } from "../clients.js";

const NAME = "contract of indexeddb";

/**
 * A database of our own in IndexedDB, on a page or in a worker of one.
 * @param {(...args: any[]) => any} kv
 */
export function indexedDb(kv) {
  return subject(kv, {
    name: "IndexedDB",
    type: "INDEXEDDB",
    atomic: "origin",
    isTransactional: true,
    async open() {
      // Deleted under the store of the test before, which is not closed; none may keep this from happening.
      await settled(indexedDB.deleteDatabase(NAME));
      return `indexeddb:${NAME}`;
    },
    async held() {
      const databases = await indexedDB.databases();
      if (!databases.some(({ name }) => name === NAME)) return []; // Nothing was written, so it was not made.
      const database = await settled(indexedDB.open(NAME));
      const keys = await settled(database.transaction("polystore").objectStore("polystore").getAllKeys());
      database.close();
      return keys;
    },
  });
}

/**
 * @param {IDBRequest} request
 * @returns {Promise<any>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
