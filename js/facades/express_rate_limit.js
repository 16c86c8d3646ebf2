/** @typedef {import("../index.d.ts").Store<any>} Store */

/**
 * The hit counters of express-rate-limit and hono-rate-limiter. express_rate_limit.d.ts documents it.
 * @param {Store} store
 */
export function rateLimitStore(store) {
  /** In seconds. The host tells it to init(). */
  let window = 60;
  return {
    get prefix() {
      return store.PREFIX;
    },
    /** @param {{ windowMs: number }} options */
    init({ windowMs }) {
      window = windowMs / 1000;
    },
    /** @param {string} key */
    async get(key) {
      const entry = await store.entry(key);
      return entry ? { totalHits: entry.value, resetTime: new Date(entry.expires ?? NaN) } : undefined;
    },
    /** @param {string} key */
    async increment(key) {
      // In one tick, so that a server is asked for both at once. Without a counter, this hit begins the window.
      const [left, totalHits] = await Promise.all([store.ttl(key), store.incr(key, 1, { expires: window })]);
      return { totalHits, resetTime: new Date(Date.now() + (left ?? window) * 1000) };
    },
    /** @param {string} key */
    async decrement(key) {
      // Without a counter, the window of the hit is over. A counter of -1 would allow a hit too many.
      await store.update(key, (hits) => (hits > 0 ? hits - 1 : hits));
    },
    /** @param {string} key */
    async resetKey(key) {
      await store.del(key);
    },
    resetAll: () => store.clear(),
  };
}
