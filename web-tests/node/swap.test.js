import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import kv from "polystore-wasm";

/** @typedef {import("polystore-wasm").StoredRecord} StoredRecord */

/** A client of the user's own over a Map, whose answers take a turn of the event loop. */
class Swapping {
  /** @type {Map<string, string>} */
  data = new Map();
  /** @param {string} key */
  async get(key) {
    await sleep(0);
    return JSON.parse(this.data.get(key) ?? "null");
  }
  /**
   * @param {string} key
   * @param {StoredRecord | null} record
   */
  async set(key, record) {
    await sleep(0);
    if (record) this.data.set(key, JSON.stringify(record));
    else this.data.delete(key);
  }
  /**
   * @param {string} key
   * @param {StoredRecord | null} expected
   * @param {StoredRecord | null} record
   */
  async swap(key, expected, record) {
    await sleep(0);
    if ((this.data.get(key) ?? "null") !== JSON.stringify(expected)) return false;
    if (record) this.data.set(key, JSON.stringify(record));
    else this.data.delete(key);
    return true;
  }
}

test("a client of one's own with swap() has the atomic methods, also between two stores over one storage", async () => {
  const one = new Swapping();
  const other = new Swapping();
  other.data = one.data;
  const stores = [kv(one), kv(other)];
  await Promise.all(Array.from({ length: 40 }, (_, i) => stores[i % 2].incr("count")));
  assert.equal(await stores[0].get("count"), 40);
  assert.equal(stores[0].atomic, "storage");
  const entry = await stores[0].entry("count");
  assert.equal(await stores[1].cas("count", /** @type {any} */ (entry).version, 5), true);
  assert.equal(await stores[0].cas("count", /** @type {any} */ (entry).version, 6), false);
  assert.deepEqual([await stores[0].take("count"), await stores[1].take("count")], [5, null]);
  await assert.rejects(
    stores[0].batch([
      ["set", "a", 1],
      ["set", "b", 2],
    ]),
    { code: "ERR_UNSUPPORTED" },
  );
  assert.deepEqual(
    await kv(one)
      .keys?.()
      .catch(() => []),
    [],
  );
});

test("a client of one's own without swap() refuses the atomic methods at once, and says how to get them", async () => {
  const data = new Map();
  const store = kv({
    get: (/** @type {string} */ key) => data.get(key),
    set: (/** @type {string} */ key, /** @type {any} */ record) => void data.set(key, record),
  });
  assert.equal(store.atomic, "none");
  for (const call of [store.incr("a"), store.update("a", () => 1), store.take("a"), store.entry("a"), store.touch("a")])
    await assert.rejects(call, { code: "ERR_UNSUPPORTED", message: /swap\(\)/ });
  assert.throws(() => kv({ get() {}, set() {} }, { atomic: "process" }), { code: "ERR_UNSUPPORTED" });
  assert.equal(data.size, 0);
});
