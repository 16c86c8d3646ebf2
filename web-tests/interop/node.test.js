import { test } from "node:test";
import upstream from "polystore";
import kv from "polystore-wasm";
import { checkExpiry, checkOneWay } from "./interop.js";

/** A client of one's own that holds records, as polystore's documentation shows one. */
class Wrapped {
  TYPE = "WRAPPED";
  /** @type {Map<string, any>} */
  #data = new Map();
  /** @param {string} key */
  get(key) {
    return this.#data.get(key);
  }
  /**
   * @param {string} key
   * @param {any} record
   */
  set(key, record) {
    if (record === null) this.#data.delete(key);
    else this.#data.set(key, record);
  }
  /** @param {string} prefix */
  *iterate(prefix) {
    for (const entry of this.#data) if (entry[0].startsWith(prefix)) yield entry;
  }
}

const clients = { Map: () => new Map(), "a custom client": () => new Wrapped() };

for (const [name, open] of Object.entries(clients)) {
  test(`${name}: polystore reads what we write`, () => checkOneWay(kv, upstream, open()));
  test(`${name}: we read what polystore writes`, () => checkOneWay(upstream, kv, open()));
  test(`${name}: polystore sees our expiry`, () => checkExpiry(kv, upstream, open()));
  test(`${name}: we see polystore's expiry`, () => checkExpiry(upstream, kv, open()));
}
