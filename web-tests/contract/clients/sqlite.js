import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { subject } from "../clients.js";

const REFUSES = { "lone surrogate key": "ERR_KEY" };
/** Rows of other code: values that are no JSON. @type {Record<string, string>} */
const FOREIGN = { theme: "dark", half: '{"a":', empty: "" };

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} folder For the files of the databases.
 */
export function sqlite(kv, folder) {
  let files = 0;
  return subject(kv, {
    name: "SQLite, node:sqlite",
    type: "SQLITE",
    refuses: REFUSES,
    open: () => openDatabase(join(folder, `${++files}.db`)),
    close: (database) => void (database.isOpen && database.close()),
    reopen(database) {
      if (database.isOpen) database.close();
      return openDatabase(join(folder, `${files}.db`));
    },
    held: (database) =>
      database
        .prepare("SELECT id FROM kv")
        .all()
        .map((/** @type {{ id: string }} */ { id }) => id),
    foreignKeys: Object.keys(FOREIGN),
    putForeign(database) {
      for (const [id, value] of Object.entries(FOREIGN)) {
        database.prepare("INSERT INTO kv (id, value) VALUES (?, ?)").run(id, value);
      }
    },
    holdsForeign: (database, id) =>
      database.prepare("SELECT value FROM kv WHERE id = ?").get(id)?.value === FOREIGN[id],
  });
}

/** @param {string} path */
function openDatabase(path) {
  const database = new DatabaseSync(path);
  // What a power failure would do is SQLite's to test; waiting for the disk makes these tests ten times slower.
  database.exec("PRAGMA synchronous = OFF");
  return database;
}
