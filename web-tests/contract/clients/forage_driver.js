/**
 * A driver of localForage that keeps everything in memory, for where it has no driver of its own.
 * @param {any} localForage
 * @returns {Promise<string>} The driver's name.
 */
export async function defineMemoryDriver(localForage) {
  const name = "memoryDriver";
  /** @type {WeakMap<object, Map<string, any>>} */
  const stores = new WeakMap();
  const dataOf = (/** @type {object} */ forage) => /** @type {Map<string, any>} */ (stores.get(forage));
  await localForage.defineDriver({
    _driver: name,
    _support: true,
    async _initStorage() {
      stores.set(this, new Map());
    },
    async getItem(/** @type {string} */ key) {
      return structuredClone(dataOf(this).get(key) ?? null);
    },
    async setItem(/** @type {string} */ key, /** @type {any} */ value) {
      dataOf(this).set(key, structuredClone(value));
      return value;
    },
    async removeItem(/** @type {string} */ key) {
      dataOf(this).delete(key);
    },
    async clear() {
      dataOf(this).clear();
    },
    async length() {
      return dataOf(this).size;
    },
    async key(/** @type {number} */ index) {
      return [...dataOf(this).keys()][index] ?? null;
    },
    async keys() {
      return [...dataOf(this).keys()];
    },
    async iterate(/** @type {(value: any, key: string, i: number) => unknown} */ visit) {
      let i = 0;
      for (const [key, value] of dataOf(this)) {
        const result = visit(structuredClone(value), key, ++i);
        if (result !== undefined) return result;
      }
      return undefined;
    },
  });
  return name;
}
