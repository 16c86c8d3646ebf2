/**
 * The secondary storage of better-auth. better_auth.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 */
export function secondaryStorage(store) {
  return {
    get: store.get,
    /**
     * @param {string} key
     * @param {string} value
     * @param {number} [ttl]
     */
    async set(key, value, ttl) {
      await store.set(key, value, { expires: ttl });
    },
    /** @param {string} key */
    async delete(key) {
      await store.del(key);
    },
    getAndDelete: store.take,
    /**
     * @param {string} key
     * @param {number} ttl
     */
    increment: (key, ttl) => store.incr(key, 1, { expires: ttl }),
  };
}
