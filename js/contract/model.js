/** @typedef {{ value: unknown, until: number }} Kept */

/** What a store should hold: as simple as can be. */
export class Model {
  /** @type {Map<string, Kept>} */
  #records = new Map();
  #now;

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /** @param {string} id */
  get(id) {
    return this.#alive(id) ? this.#records.get(id)?.value : null;
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number} seconds
   */
  set(id, value, seconds) {
    if (value === null || seconds <= 0) this.#records.delete(id);
    else this.#records.set(id, { value, until: this.#now() + seconds * 1000 });
  }

  /** @param {string} prefix */
  entries(prefix) {
    const ids = [...this.#records.keys()].filter((id) => id.startsWith(prefix) && this.#alive(id));
    return ids.map((id) => [id.slice(prefix.length), this.#records.get(id)?.value]);
  }

  /** @param {string} prefix */
  clear(prefix) {
    for (const id of [...this.#records.keys()]) {
      if (id.startsWith(prefix)) this.#records.delete(id);
    }
  }

  /** @param {string} prefix */
  prune(prefix) {
    return [...this.#records.keys()].filter((id) => id.startsWith(prefix) && !this.#alive(id)).length;
  }

  /** Whether a record is there; one that has expired is removed. @param {string} id */
  #alive(id) {
    const kept = this.#records.get(id);
    if (kept && kept.until <= this.#now()) this.#records.delete(id);
    return this.#records.has(id);
  }
}
