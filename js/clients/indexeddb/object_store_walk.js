// Listings and removals without key ranges, for a factory that does not accept this platform's key ranges: a cursor visits each record.

/**
 * Visits the records with a prefix, in the order of their keys.
 * @param {IDBObjectStore} store
 * @param {string} prefix
 * @param {string | undefined} after Only keys after this one.
 * @param {(cursor: IDBCursorWithValue) => boolean | void} visit Returns true to end the walk.
 * @param {() => void} done
 */
export function walk(store, prefix, after, visit, done) {
  const begin = after ?? prefix;
  const opening = store.openCursor();
  opening.onsuccess = () => {
    const cursor = opening.result;
    if (!cursor) return done();
    const key = String(cursor.key);
    if (key < begin) return cursor.continue(begin);
    if (!key.startsWith(prefix) || (key !== after && visit(cursor))) return done();
    cursor.continue();
  };
}

/**
 * Reads one page of the records with a prefix.
 * @param {IDBObjectStore} store
 * @param {string} prefix
 * @param {string | undefined} after Only keys after this one.
 * @param {number} length
 * @param {(page: { ids: string[], found: any[] }) => void} done
 */
export function walkPage(store, prefix, after, length, done) {
  /** @type {{ ids: string[], found: any[] }} */
  const page = { ids: [], found: [] };
  const visit = (/** @type {IDBCursorWithValue} */ cursor) => {
    page.ids.push(String(cursor.key));
    page.found.push(cursor.value);
    return page.ids.length === length;
  };
  walk(store, prefix, after, visit, () => done(page));
}
