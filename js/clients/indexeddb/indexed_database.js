/**
 * Opens an IndexedDB database.
 * @param {IDBFactory} factory
 * @param {string} name
 * @param {(opening: IDBOpenDBRequest) => void} upgrade Called if the database does not exist, or has a lower version.
 * @param {number} [version] By default, the version that the database has.
 * @returns {Promise<IDBDatabase>}
 */
export function openDatabase(factory, name, upgrade, version) {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name, version);
    opening.onupgradeneeded = () => upgrade(opening);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
    opening.onblocked = () => {
      const message = `the database ${JSON.stringify(name)} needs an upgrade, but this page or another one has it open. Close it there, or use another name`;
      reject(new Error(message));
      opening.onsuccess = () => opening.result.close(); // The promise has rejected, so nothing uses this connection.
    };
  });
}

/**
 * Finds out whether a database exists, if this browser can tell without creating it.
 * @param {string} name
 * @returns {Promise<boolean>} False if the browser has no IndexedDB or refuses it.
 */
export async function hasDatabase(name) {
  const { indexedDB } = globalThis;
  if (!indexedDB) return false;
  if (!indexedDB.databases) return true; // Firefox before 126: the caller has to open it to find out.
  const databases = await indexedDB.databases().catch(() => []);
  return databases.some((database) => database.name === name);
}
