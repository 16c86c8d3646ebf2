// OPFS, where there is no peer: against what pages keep the same in, IndexedDB. Except where it says strict, neither is flushed
// before a write resolves; IndexedDB never is, as Chromium has it by default.

import * as idbKeyval from "../../node_modules/idb-keyval/dist/index.js";
import { atOnce, fillMany, gotKeys, listing, oneByOne, PREFIX, putKeys, VALUE } from "./many.js";

/** @typedef {import("./measure.js").Contest} Contest */

/**
 * @param {(client: any, options?: any) => any} kv
 * @param {any} localForage
 * @returns {Contest[]}
 */
export function inOpfs(kv, localForage) {
  const forage = localForage.createInstance({ name: "bench opfs localForage" });
  /**
   * @param {string} name
   * @param {number | undefined} target
   * @param {number} operations
   * @param {() => Promise<unknown>} ours
   * @param {() => Promise<unknown>} theirs
   * @returns {Contest}
   */
  const contest = (name, target, operations, ours, theirs) => {
    return {
      name: `OPFS: ${name}`,
      against: "localForage",
      target,
      operations,
      ours: async () => ours,
      theirs: async () => theirs,
    };
  };
  const log = kv("opfs:bench");
  const echo = new Worker("echo.worker.js");
  const sent = () =>
    new Promise((resolve) => {
      echo.onmessage = resolve;
      echo.postMessage("");
    });
  const strict = kv("opfs:bench strict", { durability: "strict" });
  return [
    contest(
      "200 sets",
      5,
      200,
      oneByOne(putKeys(200), (key) => log.set(key, VALUE)),
      oneByOne(putKeys(200), (key) => forage.setItem(key, VALUE)),
    ),
    contest(
      "200 gets",
      4,
      200,
      oneByOne(gotKeys(200), (key) => log.get(key)),
      oneByOne(gotKeys(200), (key) => forage.getItem(key)),
    ),
    contest(
      "200 incr, theirs a get and a set",
      5,
      200,
      oneByOne(putKeys(200), () => log.incr("count")),
      oneByOne(putKeys(200), async () => forage.setItem("count", (await forage.getItem("count")) + 1)),
    ),
    // What nothing in a worker can be better than.
    contest(
      "200 messages to a worker and back, theirs gets",
      undefined,
      200,
      oneByOne(gotKeys(200), sent),
      oneByOne(gotKeys(200), (key) => forage.getItem(key)),
    ),
    contest(
      "1,000 sets at once, strict",
      20,
      1000,
      atOnce(putKeys(1000), (key) => strict.set(key, VALUE)),
      atOnce(putKeys(1000), (key) => forage.setItem(key, VALUE)),
    ),
    {
      name: "OPFS: entries() of 1,000 by prefix in 100,000",
      against: "idb-keyval",
      target: 20,
      pause: 1000, // Their 100,000 results are garbage then, which the page collects for a quarter of a second.
      operations: 1,
      async ours() {
        const store = kv("opfs:bench many");
        await fillMany((keys) => Promise.all(keys.map((key) => store.set(key, VALUE))));
        return listing(() => store.prefix(PREFIX).entries(), 1000);
      },
      async theirs() {
        const store = idbKeyval.createStore("bench opfs idb-keyval", "keyval");
        await fillMany((keys) =>
          idbKeyval.setMany(
            keys.map((key) => [key, VALUE]),
            store,
          ),
        );
        const ofPrefix = async () => (await idbKeyval.entries(store)).filter(([key]) => String(key).startsWith(PREFIX));
        return listing(ofPrefix, 1000);
      },
    },
  ];
}
