import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import kv from "polystore-wasm";
import { Method } from "../../js/core/core.js";
import { perform, stream } from "../../js/core/driver.js";
import { Connection } from "../../js/core/connection.js";
import { Listing, Task } from "../../js/core/task.js";

test("a listing copies no record of a client's page more than a few times, however large that is", () => {
  let copied = 0;
  class Ids extends Array {
    /** @param {[number?, number?]} range */
    slice(...range) {
      const part = super.slice(...range);
      copied += part.length;
      return part;
    }
  }
  const count = 20_000;
  const ids = Ids.from({ length: count }, (_, i) => `k${i}`);
  const found = Array.from(ids, () => ({ expires: null, value: 1 }));
  const client = /** @type {any} */ ({
    traits: { type: "UNKNOWN", can: ["list"], copies: "write", atomic: "none", isTransactional: false },
    scan: () => [{ ids, found }][Symbol.iterator](),
  });
  assert.deepEqual(perform(new Connection(client), new Listing(Method.list, ""), 0), Array.from(ids));
  // Cutting what is left for each 512 records copied each of them 20 times.
  assert.ok(copied <= 3 * count, `${copied} copies of ${count} records`);
});

test("an iteration that nobody goes on with makes a connection remember a bounded number of keys", async () => {
  const data = new Map([["a", { expires: null, value: 1 }]]);
  const client = /** @type {any} */ ({
    traits: { type: "UNKNOWN", can: ["list"], copies: "write", atomic: "none", isTransactional: false },
    scan: () => [{ ids: [...data.keys()], found: [...data.values()] }][Symbol.iterator](),
    remove: () => {},
  });
  const connection = new Connection(client);
  const records = stream(connection, new Listing(Method.list, ""), 0, () => false);
  assert.deepEqual(await records.next(), { value: "a", done: false });
  for (let i = 0; i < 50_000; ++i) perform(connection, new Task(Method.del, `k${i}`, `k${i}`), 0);
  assert.ok(connection.written.size <= 10_000, `${connection.written.size} keys are remembered`);
  assert.deepEqual(await records.next(), { value: undefined, done: true });
  assert.equal(connection.written.size, 0);
});

test("an iteration that is begun and dropped is ended by the garbage collector", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  let ended = () => {};
  const whenEnded = new Promise((resolve) => (ended = () => resolve(undefined)));
  const client = {
    get: () => null,
    set: () => {},
    *iterate() {
      try {
        for (let i = 0; ; ++i) yield /** @type {[string, any]} */ ([`k${i}`, { expires: null, value: i }]);
      } finally {
        ended();
      }
    },
  };
  const store = kv(client);
  await (async () => void (await store[Symbol.asyncIterator]().next()))();
  let isEnded = false;
  void whenEnded.then(() => (isEnded = true));
  // The collector tells of what it found between two turns of the event loop.
  for (let turn = 0; turn < 1000 && !isEnded; ++turn) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isEnded, "the client's iteration has ended");
});
