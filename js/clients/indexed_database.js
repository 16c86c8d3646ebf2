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
