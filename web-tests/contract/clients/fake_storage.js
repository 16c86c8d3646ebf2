/**
 * A Storage as browsers have it, for where there is none: an item also shows as a property, unless a member of Storage
 * has its name; and there is only so much room.
 */
export class FakeStorage {
  /** @type {Map<string, string>} */
  #items = new Map();
  #quota;

  /** @param {number} [quota] In UTF-16 code units of keys and values. */
  constructor(quota = 5 * 1024 * 1024) {
    this.#quota = quota;
    return new Proxy(this, {
      get: (storage, name) => {
        const member = Reflect.get(storage, name, storage);
        if (typeof member === "function") return name === "constructor" ? member : member.bind(storage);
        if (name in storage || typeof name === "symbol") return member;
        return storage.#items.get(name);
      },
      set(storage, name, value) {
        storage.setItem(String(name), value);
        return true;
      },
    });
  }

  get length() {
    return this.#items.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.#items.get(String(key)) ?? null;
  }

  /**
   * @param {string} key
   * @param {unknown} value
   */
  setItem(key, value) {
    const text = String(value);
    let used = String(key).length + text.length;
    for (const [name, item] of this.#items) {
      if (name !== key) used += name.length + item.length;
    }
    if (used > this.#quota) {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    }
    this.#items.set(String(key), text);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#items.delete(String(key));
  }

  clear() {
    this.#items.clear();
  }
}
