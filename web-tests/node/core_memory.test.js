import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";

test("more calls may be under way than the core has memory for at first", async () => {
  const calls = 20_000; // With 100 bytes each, twice as much.
  /** @type {(value: string) => void} */
  let answer = () => {};
  const answered = new Promise((/** @type {(value: string) => void} */ resolve) => (answer = resolve));
  const slow = kv({ RAW: true, get: () => answered, set: () => answered });
  const map = kv(new Map());
  await map.set("before", 1, { expires: "1 hour" });
  const pending = Array.from({ length: calls }, (_, i) => slow.get(`${i}`));
  // What the core shares with JavaScript has moved: its memory is another buffer now.
  await map.set("after", 2, { expires: "2 hours" });
  assert.deepEqual(await map.entries(), [
    ["before", 1],
    ["after", 2],
  ]);
  assert.match(await map.add(3), /^[A-Za-z0-9]{24}$/);
  answer("found");
  assert.deepEqual(new Set(await Promise.all(pending)), new Set(["found"]));
});
