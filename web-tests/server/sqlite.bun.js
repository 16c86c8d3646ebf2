// SQLite as Bun has it built in: run by sqlite.test.js, with the Bun of node_modules.

import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import kv from "polystore-wasm";
import { allCasesOf } from "../contract/all_cases.js";
import { sqlite } from "../contract/clients/sqlite.js";
import { checks } from "./sqlite_checks.js";

/** Bun's databases do not say whether they are open. @type {WeakSet<object>} */
const closed = new WeakSet();

/** @type {import("../contract/clients/sqlite.js").Library} */
const library = {
  name: "SQLite, bun:sqlite",
  open(path, { readOnly = false, bigIntegers = false } = {}) {
    const mode = readOnly ? { readonly: true } : { readwrite: true, create: true };
    const database = new Database(path, { ...mode, safeIntegers: bigIntegers });
    const close = database.close.bind(database);
    database.close = () => void (closed.add(database), close());
    return database;
  },
  isOpen: (database) => !closed.has(database),
  outlivesClose: true,
};

const folder = mkdtempSync(join(tmpdir(), "polystore-bun-"));
const subject = sqlite(kv, library, folder);
/** @type {{ name: string, run: () => unknown }[]} */
const all = allCasesOf(subject);
for (const [name, check] of Object.entries(checks)) all.push({ name, run: () => check(library, folder) });
let held = 0;
for (const { name, run } of all) {
  try {
    await run();
    ++held;
  } catch (error) {
    console.error(`${name}:`, error);
    process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true });
console.log(`${held} held`);
