/**
 * A driver of unstorage. unstorage.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 * @returns {import("./unstorage.d.ts").UnstorageDriver}
 */
export function unstorageDriver(store) {
  return {
    name: "polystore-wasm",
    getInstance: () => store,
    hasItem: async (key) => store.has(key),
    getItem: async (key) => store.get(key),
    async setItem(key, value, options) {
      // For unstorage's own drivers, too, 0 means no time to live.
      await store.set(key, value, { expires: options?.ttl || undefined });
    },
    async removeItem(key) {
      await store.del(key);
    },
    async getMeta(key) {
      const ttl = await store.ttl(key);
      return ttl === null ? null : ttl === Infinity ? {} : { ttl };
    },
    async getKeys(base = "") {
      const keys = await store.prefix(base).keys();
      return keys.map((key) => base + key);
    },
    clear: async (base = "") => store.prefix(base).clear(),
  };
}
