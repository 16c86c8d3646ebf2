// Caches of other packages. They hold values as they are, so data of other code is data of ours.

import { subject } from "../clients.js";

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {(options: object) => any} make Makes an empty LRUCache.
 */
export function lruCache(kv, name, make) {
  return subject(kv, {
    name,
    type: "LRUCACHE",
    atomic: "process",
    // Its clock is by default one that Date.now, which the contract replaces, has nothing to do with.
    open: () => make({ max: 100_000, perf: { now: () => Date.now() }, ttlResolution: 0 }),
    held: (cache) => cache.dump().map((/** @type {[string, unknown]} */ [id]) => id),
  });
}

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {() => any} open Makes an empty Keyv.
 */
export function keyv(kv, name, open) {
  return subject(kv, { name, type: "KEYV", refuses: { "empty key": "ERR_KEY" }, dropsExpired: true, open });
}

/**
 * @param {(...args: any[]) => any} kv
 * @param {() => any} open Makes an empty WeakLRUCache.
 */
export function weakLruCache(kv, open) {
  const foreign = { theme: "dark", count: 5 };
  return subject(kv, {
    name: "WeakLRUCache",
    type: "WEAKLRUCACHE",
    atomic: "process",
    isTransactional: true,
    open,
    held: (cache) => [...cache.keys()],
    foreignKeys: Object.keys(foreign),
    putForeign(cache) {
      for (const [key, value] of Object.entries(foreign)) cache.setValue(key, value);
    },
    holdsForeign: (cache, key) => cache.getValue(key) === foreign[/** @type {"theme"} */ (key)],
  });
}
