// SQLite as Node has it built in, since 22: run with the Node 24 of node_modules.

import { DatabaseSync } from "node:sqlite";
import { testSqlite } from "./sqlite_suite.js";

testSqlite({
  name: "SQLite, node:sqlite",
  open: (path, { readOnly = false, bigIntegers = false } = {}) =>
    new DatabaseSync(path, { readOnly, readBigInts: bigIntegers }),
  isOpen: (database) => database.isOpen,
});
