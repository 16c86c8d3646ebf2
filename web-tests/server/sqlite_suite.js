// Runs the contract, and what must hold beyond it, over one of SQLite's libraries, in Node.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import kv from "polystore-wasm";
import { sqlite } from "../contract/clients/sqlite.js";
import { testContract } from "../contract/suite.js";
import { checks } from "./sqlite_checks.js";

/** @param {import("../contract/clients/sqlite.js").Library} library */
export function testSqlite(library) {
  const folder = mkdtempSync(join(tmpdir(), "polystore-sqlite-"));
  after(() => rmSync(folder, { recursive: true }));
  testContract(sqlite(kv, library, folder));
  for (const [name, check] of Object.entries(checks)) test(name, async () => check(library, folder));
}
