/**
 * The storage adapter of a Keyv. keyv.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 */
export function keyvStore(store) {
  /** @type {import("./keyv.d.ts").KeyvStore} */
  const adapter = {
    // Keyv 5 iterates only over adapters whose dialect it knows.
    opts: { dialect: "redis" },
    get: async (key) => (await store.get(key)) ?? undefined,
    getMany: async (keys) => (await store.getMany(keys)).map((value) => value ?? undefined),
    set: async (key, value, ttl) => {
      await store.set(key, value, { expires: ttl === undefined ? undefined : ttl / 1000 });
      return true;
    },
    setMany: (entries) => Promise.all(entries.map(({ key, value, ttl }) => adapter.set(key, value, ttl))),
    delete: async (key) => (await Promise.all([store.has(key), store.del(key)]))[0],
    has: async (key) => store.has(key),
    hasMany: async (keys) => store.hasMany(keys),
    clear: async () => (adapter.namespace ? store.prefix(`${adapter.namespace}:`) : store).clear(),
    async *iterator(namespace) {
      const prefix = namespace ? `${namespace}:` : "";
      for await (const [key, value] of store.prefix(prefix)) yield [prefix + key, value];
    },
  };
  return adapter;
}
