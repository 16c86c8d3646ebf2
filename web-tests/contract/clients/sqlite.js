import { rmSync } from "node:fs";
import { join } from "node:path";
import { subject } from "../clients.js";

/** Rows of other code: values that are no JSON. @type {Record<string, string>} */
const FOREIGN = { theme: "dark", half: '{"a":', empty: "" };

/**
 * One of the libraries that make SQLite's databases.
 * @typedef {object} Library
 * @property {string} name
 * @property {(path: string, options?: { readOnly?: boolean, bigIntegers?: boolean }) => any} open Gives up at once where another
 *   connection has locked the database.
 * @property {(database: any) => boolean} isOpen
 * @property {boolean} [outlivesClose] Statements go on when the database was closed.
 */

/**
 * @param {(...args: any[]) => any} kv
 * @param {Library} library
 * @param {string} folder For the files of the databases.
 */
export function sqlite(kv, { name, open, isOpen }, folder) {
  let files = 0;
  const path = () => join(folder, `contract-${files}.db`);
  const openFast = () => {
    const database = open(path());
    // What a power failure would do is SQLite's to test; waiting for the disk makes these tests ten times slower.
    database.exec("PRAGMA synchronous = OFF");
    return database;
  };
  const close = (/** @type {any} */ database) => void (isOpen(database) && database.close());
  return subject(kv, {
    name,
    type: "SQLITE",
    atomic: "storage",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    open() {
      rmSync(path(), { force: true });
      ++files;
      return openFast();
    },
    close,
    second: openFast,
    reopen(database) {
      close(database);
      return openFast();
    },
    held: (database) =>
      database
        .prepare("SELECT id FROM kv")
        .all()
        .map((/** @type {{ id: string }} */ { id }) => id),
    foreignKeys: Object.keys(FOREIGN),
    putForeign(database) {
      for (const [id, value] of Object.entries(FOREIGN)) {
        database.prepare("INSERT OR REPLACE INTO kv (id, value) VALUES (?, ?)").run(id, value);
      }
    },
    putJson: (database, id, json) =>
      database.prepare("INSERT OR REPLACE INTO kv (id, value) VALUES (?, ?)").run(id, json),
    holdsForeign: (database, id) =>
      database.prepare("SELECT value FROM kv WHERE id = ?").get(id)?.value === FOREIGN[id],
  });
}
