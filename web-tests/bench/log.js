// The log in Node against classic-level, each with 100,000 records. Except where it says so, neither syncs: what is written
// outlasts a crash of the process, not a power failure.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Level } from "level";
import kv from "polystore-wasm";
import { all, atOnce, fillMany, gotKeys, listing, oneByOne, PREFIX, putKeys, VALUE } from "./many.js";
import { measure } from "./measure.js";

export async function inLog() {
  const folder = mkdtempSync(join(tmpdir(), "polystore-bench-"));
  const log = kv(`file://${folder}/relaxed.kv`);
  const strict = kv(`file://${folder}/strict.kv`, { durability: "strict" });
  const level = new Level(join(folder, "level"), { valueEncoding: "json" }); // As our values are.
  await fillMany((keys) => Promise.all(keys.map((key) => log.set(key, VALUE))));
  await fillMany((keys) => level.batch(keys.map((key) => ({ type: "put", key, value: VALUE }))));
  await /** @type {any} */ (level).compactRange("", "\uffff"); // In the order in which it reads best.

  const putThere = putKeys(1000);
  const gotThere = gotKeys(1000);
  const puts = putThere.map((key) => ({ type: /** @type {const} */ ("put"), key, value: VALUE }));
  const entries = putThere.map((key) => /** @type {[string, string]} */ ([key, VALUE]));
  const range = { gte: PREFIX, lt: `${PREFIX}:` }; // What comes after the digits.
  const last = { lt: PREFIX, reverse: true, limit: 100 };
  const synced = { sync: true };
  const get = (/** @type {string} */ key) => log.get(key);
  const set = (/** @type {string} */ key) => log.set(key, VALUE);
  const put = (/** @type {string} */ key) => level.put(key, VALUE);
  /** @type {[name: string, target: number | undefined, operations: number, ours: Run, theirs: Run][]} */
  const races = [
    ["get", 3, 1000, oneByOne(gotThere, get), oneByOne(gotThere, (key) => level.get(key))],
    ["set", 2, 1000, oneByOne(putThere, set), oneByOne(putThere, put)],
    ["1,000 gets at once", undefined, 1000, atOnce(gotThere, get), atOnce(gotThere, (key) => level.get(key))],
    ["1,000 gets at once, theirs with getMany", undefined, 1000, atOnce(gotThere, get), () => level.getMany(gotThere)],
    ["1,000 sets at once", undefined, 1000, atOnce(putThere, set), atOnce(putThere, put)],
    ["1,000 sets at once, theirs with batch", undefined, 1000, atOnce(putThere, set), () => level.batch(puts)],
    [
      "1,000 sets at once, synced",
      undefined,
      1000,
      atOnce(putThere, (key) => strict.set(key, VALUE)),
      atOnce(putThere, (key) => level.put(key, VALUE, synced)),
    ],
    ["getMany() of 1,000", 1.5, 1000, () => log.getMany(gotThere), () => level.getMany(gotThere)],
    ["setMany() of 1,000", 1, 1000, () => log.setMany(entries), () => level.batch(puts)],
    ["entries() of all", 1, 1, listing(() => log.entries()), listing(() => level.iterator().all())],
    [
      "entries() of 1,000 by prefix",
      undefined,
      1,
      listing(() => log.prefix(PREFIX).entries(), 1000),
      listing(() => level.iterator(range).all(), 1000),
    ],
    [
      "range() of 100, the last one first",
      1,
      1,
      listing(() => all(log.range(last)), 100),
      listing(() => level.iterator(last).all(), 100),
    ],
  ];
  const results = [];
  for (const [name, target, operations, ours, theirs] of races) {
    const contest = { name: `Log: ${name}`, target, operations, against: "classic-level" };
    results.push(await measure({ ...contest, ours: async () => ours, theirs: async () => theirs }));
  }
  for (const store of [log, strict, level]) await store.close();
  rmSync(folder, { recursive: true });
  return results;
}

/** @typedef {() => Promise<unknown>} Run */
