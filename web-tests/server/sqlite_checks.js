// What must hold of SQLite beyond the contract, whichever library makes the database.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import upstream from "polystore";
import kv from "polystore-wasm";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { heard } from "../support/heard.js";
import { checkPrune } from "./prune.js";

/** @typedef {import("../contract/clients/sqlite.js").Library} Library */

/** @param {any} database @param {string} sql */
const ask = (database, sql) => ({ ...database.prepare(sql).get() });

/** @type {Record<string, (library: Library, folder: string) => void | Promise<void>>} */
export const checks = {
  "polystore reads what we write": ({ open }) => checkOneWay(kv, upstream, open(":memory:")),
  "we read what polystore writes": ({ open }) => checkOneWay(upstream, kv, open(":memory:")),
  "polystore sees our expiry": ({ open }) => checkExpiry(kv, upstream, open(":memory:")),
  "we see polystore's expiry": ({ open }) => checkExpiry(upstream, kv, open(":memory:")),

  "what is in a file is there when it is opened again, with a write-ahead log too": async ({ open }, folder) => {
    for (const mode of ["delete", "wal"]) {
      const path = join(folder, `reopened-${mode}.db`);
      const database = open(path);
      database.exec(`PRAGMA journal_mode = ${mode}`);
      const first = kv(database);
      await first.set("a", { deep: [1] }, { expires: "1h" });
      await first.close();
      const second = kv(open(path));
      assert.deepEqual(await second.get("a"), { deep: [1] });
      await second.close();
    }
  },

  "a prefix is exact: neither its case nor % and _ mean anything else": async ({ open }) => {
    const store = kv(open(":memory:"));
    for (const key of ["A:1", "a:1", "ab:x", "a_x", "%y", "\u{10ffff}z", "\u{d7ff}z"]) await store.set(key, key);
    for (const prefix of ["A:", "a_", "%", "\u{10ffff}", "\u{d7ff}"]) {
      assert.equal((await store.prefix(prefix).keys()).length, 1, prefix);
    }
    await store.prefix("A:").clear();
    await store.prefix("%").clear();
    assert.deepEqual((await store.keys()).sort(), ["a:1", "a_x", "ab:x", "\u{d7ff}z", "\u{10ffff}z"]);
  },

  "keys under half of a surrogate pair are listed, and cleared": async ({ open }) => {
    const store = kv(open(":memory:"));
    for (const key of ["a\u{1f600}", "a\u{1f601}b", "a\u{1f900}", "a", "\u{10ffff}"]) await store.set(key, 1);
    assert.deepEqual((await store.prefix("a\ud83d").keys()).sort(), ["\ude00", "\ude01b"]);
    assert.deepEqual(await store.prefix("\udbff").keys(), ["\udfff"]);
    for (const prefix of ["\ud83da", "a\ude00"]) assert.deepEqual(await store.prefix(prefix).keys(), []);
    await store.prefix("a\ud83d").clear();
    assert.deepEqual((await store.keys()).sort(), ["a", "a\u{1f900}", "\u{10ffff}"]);
  },

  "a watcher hears what is written without this library; what is rolled back is no change": async (
    { open },
    folder,
  ) => {
    const path = join(folder, "watched.db");
    const store = kv(open(path));
    const watcher = store.watch({ lt: "z" }, { reach: "storage" });
    await watcher.ready;
    const changes = watcher[Symbol.asyncIterator]();
    const other = open(path);
    other.exec(`INSERT INTO kv (id, value) VALUES ('k', '{"by": "hand"}'), ('~', '1')`);
    assert.deepEqual(await heard(changes), [{ type: "set", key: "k", value: { by: "hand" } }]);
    other.exec("BEGIN IMMEDIATE; DELETE FROM kv; ROLLBACK; UPDATE kv SET value = '2' WHERE id = '~'");
    other.exec("DELETE FROM kv");
    assert.deepEqual(await heard(changes), [{ type: "del", key: "k" }]);
    other.close();
    await store.close();
  },

  "prune() deletes the rows": async ({ open }) => {
    const database = open(":memory:");
    await checkPrune(kv(database));
    assert.deepEqual(ask(database, "SELECT count(*) AS rows FROM kv"), { rows: 1 });
  },

  "prune() and clear() delete all records, however deep, and no rows of other code": async ({ open }) => {
    const database = open(":memory:");
    const store = kv(database);
    const deep = "[".repeat(1500) + "]".repeat(1500); // Deeper than SQLite, or kv(), takes it.
    for (const method of /** @type {const} */ (["prune", "clear"])) {
      await store.set("flat", 1);
      database.exec(`
        INSERT INTO kv (id, value) VALUES ('deep', '${deep}'),
          ('theme', 'dark'), ('none', 'null'), ('bytes', x'31'), (x'', '1'), (x'6131', '1')`);
      assert.deepEqual((await store.keys()).sort(), ["deep", "flat"]);
      assert.deepEqual((await store.entries()).map(([key]) => key).sort(), ["deep", "flat"]);
      assert.equal(await store.get("bytes"), null);
      if (method === "prune") database.exec("UPDATE kv SET expires_at = 1");
      const given = await store[method]();
      assert.equal(given, method === "prune" ? 2 : undefined);
      assert.deepEqual(ask(database, "SELECT count(*) AS rows FROM kv"), { rows: 5 });
      database.exec("DELETE FROM kv");
    }
  },

  "a database that gives integers as BigInt is understood, and integers too large for a number": async ({ open }) => {
    for (const bigIntegers of [true, false]) {
      const database = open(":memory:", { bigIntegers });
      const store = kv(database);
      await store.set("a", 1, { expires: "1h" });
      await store.set("gone", 1, { expires: "1h" });
      database.exec(`
        UPDATE kv SET expires_at = 1 WHERE id = 'gone';
        INSERT INTO kv VALUES ('other', '2', 9223372036854775807)`);
      assert.deepEqual([await store.get("a"), await store.has("a"), await store.get("gone")], [1, true, null]);
      assert.deepEqual(await store.all(), { a: 1, other: 2 });
      await store.set("gone", 1, { expires: "1h" });
      database.exec("UPDATE kv SET expires_at = 1 WHERE id = 'gone'");
      assert.equal(await store.prune(), 1);
    }
  },

  "a database that may only be read is read": async ({ open }, folder) => {
    const path = join(folder, "readonly.db");
    const writer = open(path);
    await kv(writer).set("a", 1);
    writer.exec("INSERT INTO kv VALUES ('gone', '1', 1); DROP INDEX idx_kv_expires_at");
    const store = kv(open(path, { readOnly: true }));
    assert.deepEqual([await store.get("a"), await store.get("gone"), await store.all()], [1, null, { a: 1 }]);
    for (const call of [() => store.set("a", 2), () => store.del("a"), () => store.clear(), () => store.prune()]) {
      await assert.rejects(call(), { code: "ERR_CLIENT" });
    }
    await kv(writer).close();
    await store.close();
  },

  "a database that another connection has locked is ERR_CLIENT until it lets go": async ({ open }, folder) => {
    const path = join(folder, "locked.db");
    const [one, other] = [open(path), open(path)];
    const store = kv(one);
    await store.set("a", 1);
    one.exec("INSERT INTO kv VALUES ('gone', '1', 1)");
    other.exec("BEGIN IMMEDIATE");
    await assert.rejects(store.set("a", 2), ({ code, cause }) => code === "ERR_CLIENT" && cause !== undefined);
    assert.deepEqual([await store.get("a"), await store.get("gone"), await store.keys()], [1, null, ["a"]]);
    await assert.rejects(store.prune(), { code: "ERR_CLIENT" });
    other.exec("COMMIT");
    assert.equal(await store.prune(), 1);
    await store.set("a", 2);
    assert.equal(await store.get("a"), 2);
    await store.close();
    other.close();
  },

  "clear() and prune() wait for another connection that writes, as every write does": async ({ open }, folder) => {
    const path = join(folder, "interrupted.db");
    const [database, other] = [open(path), open(path)];
    database.exec("PRAGMA journal_mode = wal");
    // Another connection tries to write after each of our statements: then who has read before he writes cannot write any more.
    const interrupt = () => {
      try {
        other.exec("INSERT INTO kv VALUES ('other', 'dark', NULL) ON CONFLICT DO UPDATE SET value = excluded.value");
      } catch {
        // It has to wait itself.
      }
    };
    const store = kv({
      prepare(/** @type {string} */ sql) {
        const statement = database.prepare(sql);
        return {
          get: (/** @type {any[]} */ ...values) => statement.get(...values),
          run: (/** @type {any[]} */ ...values) => statement.run(...values),
          all(/** @type {any[]} */ ...values) {
            const rows = statement.all(...values);
            interrupt();
            return rows;
          },
          finalize: () => statement.finalize?.(),
        };
      },
      exec: (/** @type {string} */ sql) => database.exec(sql),
      close: () => database.close(),
    });
    await store.set("a", 1);
    database.exec("INSERT INTO kv VALUES ('gone', '1', 1)");
    assert.equal(await store.prune(), 1);
    await store.clear();
    assert.deepEqual(await store.keys(), []);
    await store.close();
    other.close();
  },

  "a full database is ERR_QUOTA, and what was there is unchanged": async ({ open }) => {
    const database = open(":memory:");
    const store = kv(database);
    await store.set("a", 1);
    database.exec("PRAGMA max_page_count = 1"); // It then is what is there already.
    await assert.rejects(store.set("a", "x".repeat(100000)), { code: "ERR_QUOTA" });
    assert.equal(await store.get("a"), 1);
    await store.set("b", 2);
  },

  "a database that its owner closed is ERR_CLIENT, and close() does not mind": async ({ open, outlivesClose }) => {
    const database = open(":memory:");
    const store = kv(database);
    await store.set("a", 1);
    database.close();
    if (!outlivesClose) await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
    await store.close();
  },

  "close() lets go of the file": async ({ open }, folder) => {
    const path = join(folder, "released.db");
    const database = open(path);
    database.exec("PRAGMA journal_mode = wal");
    const store = kv(database);
    await store.set("a", 1);
    assert.equal(existsSync(`${path}-wal`), true);
    await store.close();
    assert.equal(existsSync(`${path}-wal`), false); // Whoever is the last to let go removes it.
  },

  "a transaction of the user's takes our calls with it": async ({ open }) => {
    const database = open(":memory:");
    const store = kv(database);
    await store.set("a", 1);
    database.exec("INSERT INTO kv VALUES ('gone', '1', 1); BEGIN");
    await store.set("b", 2);
    assert.equal(await store.prune(), 1);
    await store.clear();
    database.exec("ROLLBACK");
    assert.deepEqual(await store.all(), { a: 1 });
  },

  "a table kv of other code is an error that names its columns": async ({ open }) => {
    const database = open(":memory:");
    database.exec(`CREATE TABLE kv (id TEXT PRIMARY KEY, "expiresAt" TEXT)`);
    const store = kv(database);
    await assert.rejects(store.get("a"), { code: "ERR_CLIENT", message: /the columns id, expiresAt instead of/ });
    await store.close();
    assert.throws(() => database.exec("SELECT 1"), "a database that is closed");
  },

  "a database in UTF-16 is refused": async ({ open }) => {
    const database = open(":memory:");
    database.exec("PRAGMA encoding = 'UTF-16le'");
    await assert.rejects(kv(database).set("a", 1), { code: "ERR_CLIENT", message: /UTF-16le/ });
  },

  "every statement is prepared once": async ({ open }) => {
    const database = open(":memory:");
    let prepared = 0;
    const store = kv({
      prepare: (/** @type {string} */ sql) => (++prepared, database.prepare(sql)),
      exec: (/** @type {string} */ sql) => database.exec(sql),
      close: () => database.close(),
    });
    await store.set("first", 1);
    const before = prepared;
    for (const key of ["a", "b"]) {
      await store.set(key, 1, { expires: "1h" });
      await store.get(key);
      await store.del(key);
      await Promise.all([store.keys(), store.all(), store.prune(), store.prefix(key).clear()]);
    }
    database.exec("INSERT INTO kv VALUES ('gone', '1', 1)");
    assert.equal(await store.get("gone"), null);
    assert.equal(prepared, before);
    await store.close();
  },

  "a prefix is looked up in the index, not row by row": async ({ open }) => {
    const database = open(":memory:");
    /** @type {string[]} */
    const prepared = [];
    const store = kv({
      prepare: (/** @type {string} */ sql) => (prepared.push(sql), database.prepare(sql)),
      exec: (/** @type {string} */ sql) => database.exec(sql),
      close: () => database.close(),
    });
    // That of prune() may begin with what has expired.
    const ofRanges = prepared.filter((sql) => /id >= \?/.test(sql) && !/expires_at <=/.test(sql));
    assert.ok(ofRanges.length > 0);
    for (const sql of ofRanges) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...["a", "b", 1].slice(0, sql.match(/\?/g)?.length));
      const details = plan.map((/** @type {{ detail: string }} */ { detail }) => detail).join("\n");
      assert.match(details, /SEARCH kv USING .*\(id>\? AND id<\?\)/, sql);
    }
    await store.close();
  },

  "a client of the user's own with prepare, exec and close is not taken for SQLite": async () => {
    const rows = new Map();
    const own = {
      get: (/** @type {string} */ id) => rows.get(id),
      set: (/** @type {string} */ id, /** @type {unknown} */ record) => void rows.set(id, record),
      prepare() {},
      exec() {},
      close() {},
    };
    assert.equal(kv(own).type, "UNKNOWN");
    await kv(own).set("a", 1);
    assert.deepEqual(rows.get("a"), { expires: null, value: 1 });
  },

  "a library of the same methods that answers later is refused, and nothing is written": async () => {
    let executed = 0;
    const later = () => ({ get: async () => ({ one: 1 }), all: async () => [], run: async () => {} });
    const database = /** @type {any} */ ({ prepare: later, exec: () => ++executed, close() {} });
    await assert.rejects(kv(database).set("a", 1), {
      code: "ERR_CLIENT",
      message: /do not return rows as objects synchronously/,
    });
    assert.equal(executed, 0);
  },
};
