/** The life of the mark that a request is under way, in seconds. If its process is killed, the mark would forbid caching for ever. */
const LOADING = 60;

/**
 * The cache of axios-cache-interceptor. axios_cache_interceptor.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 * @returns {import("./axios_cache_interceptor.d.ts").CacheStorage}
 */
export function cacheStorage(store) {
  return {
    find: async (key) => (await store.get(key)) ?? undefined,
    async set(key, value) {
      await store.set(key, value, { expires: lifeOf(value) });
    },
    async remove(key) {
      await store.del(key);
    },
    clear: async () => store.clear(),
  };
}

/**
 * @param {any} value
 * @returns {number | undefined} Seconds. Undefined leaves it to the store, because the answer can be revalidated at any time.
 */
function lifeOf({ state, createdAt, ttl, staleTtl = 0, data }) {
  if (state === "loading" && !data) return LOADING;
  if (ttl === undefined || state === "loading" || state === "must-revalidate") return undefined;
  const { etag, lastModified } = data.meta?.revalidation ?? {};
  const validates = (/** @type {string} */ name) => /^(x-axios-cache-)?(etag|last-modified)$/i.test(name);
  if (etag || lastModified || Object.keys(data.headers).some(validates)) return undefined;
  return (createdAt + ttl + staleTtl - Date.now()) / 1000;
}
