/**
 * Opens a database of IndexedDB.
 * @param {IDBFactory} factory
 * @param {string} name
 * @param {(opening: IDBOpenDBRequest) => void} upgrade What to do where it is not there, or not in this version.
 * @param {number} [version] The one that it has, if none is given.
 * @returns {Promise<IDBDatabase>}
 */
export function openDatabase(factory, name, upgrade, version) {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name, version);
    opening.onupgradeneeded = () => upgrade(opening);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
    opening.onblocked = () => {
      const message = `the database ${JSON.stringify(name)} is to be upgraded, and this page or another holds it open: close it there, or give another name`;
      reject(new Error(message));
      opening.onsuccess = () => opening.result.close(); // Nobody waits for it any more.
    };
  });
}

/**
 * Whether there is a database of a name, as far as this browser says that without making it.
 * @param {string} name
 * @returns {Promise<boolean>} False where the browser has no databases for us.
 */
export async function hasDatabase(name) {
  const { indexedDB } = globalThis;
  if (!indexedDB) return false;
  if (!indexedDB.databases) return true; // Firefox before 126 has to open it.
  const databases = await indexedDB.databases().catch(() => []);
  return databases.some((database) => database.name === name);
}
