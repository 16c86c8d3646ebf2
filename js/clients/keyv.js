import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../support/page_bytes.js";
import { selectIds } from "../support/range.js";
import { KeyQueue } from "../support/key_queue.js";

/** The number of records that are read with one call. */
const PAGE_LENGTH = 100;

/** A Keyv of version 5 or 6. It stores values with their expiry, and removes expired values itself when it reads them. */
export class Keyv {
  // Without serialization, its Map holds the same objects that were passed in.
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "KEYV", can: ["list"], copies: "both", atomic: "none", isTransactional: false };
  #keyv;
  /** Keeps calls on one key in order: a write has to serialize first, so that a later read could overtake it. */
  #queue = new KeyQueue();

  /** @param {any} keyv */
  constructor(keyv) {
    this.#keyv = keyv;
  }

  /**
   * @param {string} id
   * @throws {PolystoreTypeError} ERR_KEY
   */
  checkKey(id) {
    const { namespace, useKeyPrefix } = this.#keyv;
    // Version 5 adds the namespace only to keys that do not start with it, so two keys would become one.
    if (id !== "" && !(useKeyPrefix && namespace && id.startsWith(`${namespace}:`))) return;
    const message = `Keyv cannot store the key ${show(id)}: a key must not be empty, and must not start with the namespace. Use another key, or give the store a prefix.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  /** @param {string} id */
  async read(id) {
    return record(await this.#queue.addRead(id, () => this.#keyv.getRaw(id)));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires If it is null, Keyv's option `ttl` applies.
   */
  async put(id, value, expires) {
    const life = () => (expires === null ? undefined : expires - Date.now());
    const kept = await this.#queue.add(id, () => this.#keyv.set(id, value, life()));
    if (kept === false) throw new Error("set() of Keyv returned false; its event `error` may have the reason");
  }

  /** @param {string} id */
  remove(id) {
    return this.#queue.add(id, () => this.#keyv.delete(id));
  }

  /** @param {import("../core/client.js").Range} range */
  async *scan(range) {
    await this.#queue.idle();
    const ids = selectIds(await this.#ids(), range);
    for (let i = 0, length = FIRST_LENGTH; i < ids.length;) {
      const page = ids.slice(i, (i += length));
      const found = (await this.#keyv.getManyRaw(page)).map(record);
      yield { ids: page, found };
      length = nextLength(length, page.length, sizeOfAll(found), PAGE_LENGTH);
    }
  }

  onTimeout() {
    this.#queue.abandon();
  }

  async #ids() {
    const keyv = this.#keyv;
    const { namespace = "", useKeyPrefix } = keyv;
    if (!canIterate(keyv)) throw unlisted("its store has no iterator");
    // Version 5 takes the text before the first colon for the namespace, even if there is no namespace.
    if (useKeyPrefix && !/^[^:]+$/.test(namespace))
      throw unlisted(`its iterator returns wrong keys in the namespace ${show(namespace)}`);
    /** @type {string[]} */
    const ids = [];
    for await (const [id] of keyv.iterator()) ids.push(id);
    return ids;
  }
}

/**
 * Converts Keyv's entry to a record. Keyv treats a value as expired one millisecond later than polystore does.
 * @param {any} raw
 */
function record(raw) {
  const expires = raw?.expires ?? null;
  return raw && (expires === null || expires > Date.now()) ? { expires, value: raw.value } : undefined;
}

/**
 * True if a Keyv can list its keys. In version 6 every Keyv has an iterator, which yields nothing if its store has none.
 * @param {any} keyv
 */
function canIterate({ iterator, store }) {
  const { exists = true } = store.capabilities?.methods?.iterator ?? {};
  const isInMemory = typeof store.store?.entries === "function";
  return typeof iterator === "function" && (exists || isInMemory);
}

/** @param {string} reason */
function unlisted(reason) {
  const message = `The KEYV client cannot list its keys: ${reason}. Give Keyv a store that can be iterated, for example a Map or @keyv/redis.`;
  return new PolystoreError("ERR_UNSUPPORTED", message);
}
