/**
 * The asynchronous form of localStorage over a store. storage.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 * @returns {import("./storage.d.ts").AsyncStorage}
 */
export function asyncStorage(store) {
  return {
    getItem: async (key) => store.get(key),
    async setItem(key, value) {
      await store.set(key, value);
    },
    async removeItem(key) {
      await store.del(key);
    },
    async getMany(keys) {
      const values = await store.getMany(keys);
      return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
    },
    async setMany(entries) {
      await store.setMany(entries);
    },
    async removeMany(keys) {
      await store.delMany(keys);
    },
    getAllKeys: async () => store.keys(),
    entries: async () => store.entries(),
    clear: async () => store.clear(),
  };
}
