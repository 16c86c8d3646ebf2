// The methods that change values depending on what is there, expiries, ranges and many keys, in any order, do what they do to a model.
// A failure says the fewest calls that show it, and the seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import Database from "better-sqlite3";
import fc from "fast-check";
import { MemoryLevel } from "memory-level";
import kv from "polystore-wasm";
import { storage, subject } from "../contract/clients.js";
import { FakeStorage } from "../contract/clients/fake_storage.js";
import { file } from "../contract/clients/files.js";
import { level } from "../contract/clients/level.js";
import { log } from "../contract/clients/log.js";
import { sqlite } from "../contract/clients/sqlite.js";
import { same, sameElements, show } from "../../js/contract/equal.js";
import { withClock } from "../../js/contract/subject.js";
import { filesFor } from "../support/files.js";

/** @typedef {import("../../js/contract/subject.js").Subject} Subject */
/** @typedef {{ expires?: number, renew?: boolean }} Options */
/** @typedef {{ gt?: string, gte?: string, lt?: string, lte?: string, limit?: number, reverse?: boolean }} Range */
/** The version of a value that a call names: that of the value which is there, that of no value, or that of another one. @typedef {"current" | "none" | "other"} Version */
/** @typedef {["set", string, unknown, Options?] | ["del", string] | ["check", string, Version]} Write */
/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} prefix
 * @property {number} [byDefault] The default expiry of the store, in seconds.
 * @property {string[]} keys Each once.
 * @property {unknown} value
 * @property {number} by
 * @property {Options} options
 * @property {Version} version
 * @property {Write[]} writes
 * @property {Range} range
 */
/** @typedef {{ call: Call } | { advance: number } | { reopen: true }} Step */

const METHODS = [
  ...[
    "get",
    "has",
    "set",
    "set",
    "del",
    "ttl",
    "touch",
    "entry",
    "sliding",
    "append",
    "replace",
    "swap",
    "incr",
    "incr",
  ],
  ...["setIfAbsent", "cas", "cas", "take", "batch", "batch", "getMany", "setMany", "delMany", "hasMany"],
  ...["keys", "values", "entries", "all", "iterate", "size", "clear", "page", "prune"],
];
const LIVES = [-1, 0, 2, 8, 3600];
/** The life that a sliding read renews, in seconds. */
const SLIDING = 8;

const plain = { noNullPrototype: true };
// Few keys, so that calls meet, and some of every length and order.
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b") },
  { weight: 1, arbitrary: fc.constantFrom("", "a:b", "é", "\uffee", "🔑", "__proto__") },
);
const value = fc.constantFrom(0, 1, -1.5, 2 ** 53 - 1, "", "text", false, [], [1, null], { a: { b: "c" } });
const version = /** @type {fc.Arbitrary<Version>} */ (fc.constantFrom("current", "current", "none", "other"));
const options = fc.record({ expires: fc.constantFrom(...LIVES), renew: fc.boolean() }, { requiredKeys: [], ...plain });
const range = fc.record(
  { gt: key, gte: key, lt: key, lte: key, limit: fc.constantFrom(0, 1, 2, 5), reverse: fc.boolean() },
  { requiredKeys: [], ...plain },
);
/** @type {fc.Arbitrary<Write>} */
const write = fc.oneof(
  fc.tuple(
    fc.constant("set"),
    key,
    fc.option(value),
    fc.record({ expires: fc.constantFrom(...LIVES) }, { requiredKeys: [], ...plain }),
  ),
  fc.tuple(fc.constant("del"), key),
  fc.tuple(fc.constant("check"), key, version),
);
/** @type {fc.Arbitrary<Call>} */
const anyCall = fc.record(
  {
    method: fc.constantFrom(...METHODS),
    prefix: fc.constantFrom("", "", "", "a"),
    byDefault: fc.constantFrom(2, 8),
    keys: fc.uniqueArray(key, { minLength: 2, maxLength: 3 }),
    value,
    by: fc.constantFrom(1, 1, -2.5, 2 ** 53 - 1),
    options,
    version,
    writes: fc.array(write, { maxLength: 4 }),
    range: fc.oneof(fc.constant({}), range),
  },
  { requiredKeys: ["method", "prefix", "keys", "value", "by", "options", "version", "writes", "range"], ...plain },
);
/** @type {fc.Arbitrary<Step[]>} */
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ call: anyCall }, plain) },
    { weight: 3, arbitrary: fc.record({ advance: fc.constantFrom(500, 1000, 2000, 8000) }, plain) },
    { weight: 1, arbitrary: fc.record({ reopen: fc.constant(/** @type {true} */ (true)) }, plain) },
  ),
  { maxLength: 50, size: "max" },
);

/** Stands for a call that fails with this code. */
class Failure {
  /** @param {string} code */
  constructor(code) {
    this.code = code;
  }
}

/** @param {string} one @param {string} other */
const byCodePoints = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** What a store does, as simple as can be. Its keys are full ones. */
class Model {
  /** @type {Map<string, { value: any, until: number }>} */
  #records = new Map();
  #now;

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /** @param {string} id */
  find(id) {
    const found = this.#records.get(id);
    return found && found.until > this.#now() ? found : null;
  }

  /** @param {string} id */
  get(id) {
    return this.find(id)?.value ?? null;
  }

  /** @param {string} id @param {any} value @param {number} life In seconds. @returns {any} The value that is there afterwards. */
  set(id, value, life) {
    this.#records.delete(id);
    if (value === null || life <= 0) return null;
    this.#records.set(id, { value, until: this.#now() + life * 1000 });
    return value;
  }

  /** @param {string} id @param {any} value @param {number} life @param {boolean} [renew] */
  change(id, value, life, renew = false) {
    const old = this.find(id);
    if (value === null || !old || renew) return this.set(id, value, life);
    this.#records.set(id, { value, until: old.until });
    return value;
  }

  /** @param {string} prefix @param {Range} range @returns {[string, any][]} */
  list(prefix, { gt, gte, lt, lte, limit, reverse }) {
    const isIn = (/** @type {string} */ key) =>
      (gte !== undefined ? byCodePoints(key, gte) >= 0 : gt === undefined || byCodePoints(key, gt) > 0) &&
      (lte !== undefined ? byCodePoints(key, lte) <= 0 : lt === undefined || byCodePoints(key, lt) < 0);
    const ids = [...this.#records.keys()].filter((id) => id.startsWith(prefix) && this.find(id));
    const keys = ids
      .map((id) => id.slice(prefix.length))
      .filter(isIn)
      .sort(byCodePoints);
    if (reverse) keys.reverse();
    return keys.slice(0, limit).map((key) => [key, this.get(prefix + key)]);
  }
}

/** A store, and a model of it that does the same. */
class Pair {
  #subject;
  #client;
  /** @type {any} */
  #store;
  #model;

  /** @param {Subject} subject @param {any} client */
  constructor(subject, client) {
    this.#subject = subject;
    this.#client = client;
    this.#store = subject.kv(client);
    this.#model = new Model(() => subject.clock.now);
  }

  get client() {
    return this.#client;
  }

  /** @param {Step} step */
  async take(step) {
    if ("advance" in step) this.#subject.clock.advance(step.advance);
    else if ("reopen" in step) await this.#reopen();
    else await this.#make(step.call);
  }

  async end() {
    await this.#reopen();
    assert.deepEqual(await this.#store.entries({ gte: "" }), this.#model.list("", {}));
  }

  async #reopen() {
    await this.#store.close();
    this.#client = (await this.#subject.reopen?.(this.#client)) ?? this.#client;
    this.#store = this.#subject.kv(this.#client);
  }

  /** @param {Call} call */
  async #make(call) {
    const { prefix, byDefault, method } = call;
    const derived = this.#store.prefix(prefix);
    const [store, life] = byDefault === undefined ? [derived, Infinity] : [derived.expires(byDefault), byDefault];
    const versions = new Map();
    for (const key of [...call.keys, ...call.writes.map(([, key]) => key)])
      versions.set(key, (await store.entry(key))?.version ?? null);
    const meant = (/** @type {string} */ key, /** @type {Version} */ version) =>
      version === "current" ? versions.get(key) : version === "none" ? null : "another version";
    const expected = this.#expected(call, life);
    const got = await this.#call(store, call, meant).catch((/** @type {any} */ error) => new Failure(error.code));
    const isBare = Array.isArray(expected) && Object.keys(call.range).length === 0;
    const isEqual =
      expected instanceof Failure
        ? got instanceof Failure && got.code === expected.code
        : isBare && ["keys", "values", "entries", "iterate"].includes(method)
          ? sameElements(got, expected)
          : same(got, expected);
    assert.ok(isEqual, `${show(call)} should give ${show(expected)}, and gives ${show(got)}`);
    if (method === "sliding") await this.#reopen(); // close() waits for the renewal.
  }

  /**
   * @param {any} store
   * @param {Call} call
   * @param {(key: string, version: Version) => string | null} meant
   * @returns {Promise<any>}
   */
  async #call(store, { method, keys, value, by, options, version, writes, range }, meant) {
    const [first] = keys;
    const { expires } = options;
    const forWriting = expires === undefined ? {} : { expires };
    switch (method) {
      case "set":
        return store.set(first, value, forWriting);
      case "touch":
        return expires === undefined ? store.touch(first) : store.touch(first, expires);
      case "entry": {
        const entry = await store.entry(first);
        return entry && { key: entry.key, value: entry.value, expires: entry.expires };
      }
      case "sliding":
        return store.expires(SLIDING, { sliding: true }).get(first);
      case "append":
        return store.update(first, (/** @type {any} */ old) => [old, value], options);
      case "replace":
        return store.update(first, () => value, options);
      case "swap":
        return store.update(keys, (/** @type {any[]} */ [one, ...others]) => [...others, one], options);
      case "incr":
        return store.incr(first, by, options);
      case "setIfAbsent":
        return store.setIfAbsent(first, value, forWriting);
      case "cas":
        return store.cas(first, meant(first, version), by < 0 ? null : value, options);
      case "batch":
        return store.batch(
          writes.map((write) => (write[0] === "check" ? ["check", write[1], meant(write[1], write[2])] : write)),
        );
      case "setMany":
        return store.setMany(
          keys.map((key) => [key, value]),
          forWriting,
        );
      case "getMany":
      case "delMany":
      case "hasMany":
        return store[method](keys);
      case "iterate":
        return collect(store.range(range));
      case "page":
        return this.#pages(store, range);
      case "prune":
        return void (await store.prune());
      case "keys":
      case "values":
      case "entries":
      case "all":
      case "size":
      case "clear":
        return store[method](...(Object.keys(range).length === 0 ? [] : [range]));
    }
    return store[method](first);
  }

  /** All entries of a range, page by page. @param {any} store @param {Range} range */
  async #pages(store, range) {
    const entries = [];
    for (let cursor = null; ;) {
      /** @type {any} */
      const page = await store.page({ ...range, cursor });
      entries.push(...page.entries);
      cursor = page.cursor;
      if (cursor === null) return entries;
    }
  }

  /**
   * What the call gives, if the model is right, which does the same.
   * @param {Call} call
   * @param {number} byDefault
   * @returns {any}
   */
  #expected({ method, prefix, keys, value, by, options, version, writes, range }, byDefault) {
    const model = this.#model;
    const [first] = keys;
    const id = prefix + first;
    const life = options.expires ?? byDefault;
    const found = model.find(id);
    const old = found?.value ?? null;
    const isMeant = (/** @type {string} */ key, /** @type {Version} */ version) =>
      version === "current" || (version === "none" && model.find(prefix + key) === null);
    switch (method) {
      case "get":
        return old;
      case "sliding":
        if (found && found.until < Infinity && found.until - this.#subject.clock.now <= SLIDING * 875)
          model.set(id, old, SLIDING);
        return old;
      case "has":
        return found !== null;
      case "set":
        model.set(id, value, life);
        return first;
      case "del":
        model.set(id, null, 0);
        return first;
      case "ttl":
        return found && (found.until - this.#subject.clock.now) / 1000;
      case "touch":
        if (found) model.set(id, old, life);
        return found !== null;
      case "entry":
        return found && { key: first, value: old, expires: found.until === Infinity ? null : found.until };
      case "append":
        return model.change(id, [old, value], life, options.renew);
      case "replace":
        return model.change(id, value, life, options.renew);
      case "swap": {
        if (!this.#subject.isTransactional) return new Failure("ERR_UNSUPPORTED");
        const values = keys.map((key) => model.get(prefix + key));
        return keys.map((key, i) => model.change(prefix + key, values[(i + 1) % keys.length], life, options.renew));
      }
      case "incr": {
        const sum = typeof (old ?? 0) === "number" ? (old ?? 0) + by : NaN;
        if (!(Math.abs(sum) <= Number.MAX_SAFE_INTEGER)) return new Failure("ERR_VALUE");
        model.change(id, sum, life, options.renew);
        return sum; // Also where it expires at once.
      }
      case "setIfAbsent":
        return found === null && model.set(id, value, life) !== null;
      case "cas":
        if (!isMeant(first, version)) return false;
        model.change(id, by < 0 ? null : value, life, options.renew);
        return true;
      case "take":
        model.set(id, null, 0);
        return old;
      case "batch": {
        const isOne = new Set(writes.map(([, key]) => key)).size < 2;
        if (!isOne && !this.#subject.isTransactional) return new Failure("ERR_UNSUPPORTED");
        if (!writes.every((write) => write[0] !== "check" || isMeant(write[1], write[2]))) return false;
        for (const write of writes) {
          if (write[0] === "set") model.set(prefix + write[1], write[2], write[3]?.expires ?? byDefault);
          else if (write[0] === "del") model.set(prefix + write[1], null, 0);
        }
        return true;
      }
      case "getMany":
        return keys.map((key) => model.get(prefix + key));
      case "hasMany":
        return keys.map((key) => model.find(prefix + key) !== null);
      case "setMany":
        for (const key of keys) model.set(prefix + key, value, life);
        return keys;
      case "delMany":
        for (const key of keys) model.set(prefix + key, null, 0);
        return keys;
      case "page":
        if (range.limit === 0) return new Failure("ERR_OPTIONS");
        return model.list(prefix, { ...range, limit: undefined });
      case "prune":
        return undefined;
    }
    const entries = model.list(prefix, range);
    if (method === "clear") return entries.forEach(([key]) => model.set(prefix + key, null, 0));
    if (method === "keys") return entries.map(([key]) => key);
    if (method === "values") return entries.map(([, value]) => value);
    if (method === "size") return entries.length;
    return method === "all" ? Object.fromEntries(entries) : entries;
  }
}

/** @param {AsyncIterable<unknown>} iteration */
async function collect(iteration) {
  const all = [];
  for await (const each of iteration) all.push(each);
  return all;
}

const { root } = filesFor("changes-model");
const better = {
  name: "better-sqlite3",
  open: (/** @type {string} */ path) => new Database(path),
  isOpen: (/** @type {any} */ database) => database.open,
};
const unchanged = (/** @type {any} */ database) => database;

/** What is tested, and how often. @type {[Subject, runs: number][]} */
const subjects = [
  [
    subject(kv, { name: "memory", type: "MEMORY", atomic: "process", isTransactional: true, open: () => new Map() }),
    100,
  ],
  [storage(kv, "an object like a Storage", () => new FakeStorage()), 50],
  [sqlite(kv, better, root), 20],
  [level(kv, "Level in memory", () => new MemoryLevel(), unchanged), 30],
  [log(kv, root, "relaxed"), 20],
  [file(kv, root), 5],
];

for (const [tested, numRuns] of subjects) {
  test(`${tested.name}: changes, expiries and ranges do what they do to a model`, async () => {
    const property = fc.asyncProperty(steps, (all) =>
      withClock(tested, async () => {
        const pair = new Pair(tested, await tested.open());
        try {
          for (const step of all) await pair.take(step);
          await pair.end();
        } finally {
          await tested.close?.(pair.client);
        }
      }),
    );
    await fc.assert(property, { numRuns, interruptAfterTimeLimit: 60_000 });
  });
}
