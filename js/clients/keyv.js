import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../support/page_bytes.js";
import { selectIds } from "../support/range.js";
import { KeyQueue } from "../support/key_queue.js";

/** Records that are asked for together. */
const PAGE_LENGTH = 100;

/** A Keyv of version 5 or 6: it holds values as they are, with their expiry, and removes by itself what it finds expired. */
export class Keyv {
  // Without serialization its Map has the very objects.
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "KEYV", can: ["list"], copies: "both" };
  #keyv;
  /** A read may else be done before the write that was called before it, which has to serialize first. */
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
    // Version 5 adds the namespace only where a key does not begin with it: two keys would be one.
    if (id !== "" && !(useKeyPrefix && namespace && id.startsWith(`${namespace}:`))) return;
    const message = `Keyv cannot hold the key ${show(id)}: a key is neither empty nor begins with the namespace. Give it another key, or the store a prefix.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  /** @param {string} id */
  async read(id) {
    return record(await this.#queue.addRead(id, () => this.#keyv.getRaw(id)));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires Where it is null, the life is that of Keyv's option `ttl`.
   */
  async put(id, value, expires) {
    const life = () => (expires === null ? undefined : expires - Date.now());
    const kept = await this.#queue.add(id, () => this.#keyv.set(id, value, life()));
    if (kept === false) throw new Error("set() of Keyv gave false; its event `error` may say why");
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
      length = nextLength(page.length, sizeOfAll(found), PAGE_LENGTH);
    }
  }

  onTimeout() {
    this.#queue.abandon();
  }

  async #ids() {
    const keyv = this.#keyv;
    const { namespace = "", useKeyPrefix } = keyv;
    if (!canIterate(keyv)) throw unlisted("its store has no iterator");
    // Version 5 takes what stands before the first colon for the namespace, also where there is none.
    if (useKeyPrefix && !/^[^:]+$/.test(namespace))
      throw unlisted(`its iterator gives wrong keys in the namespace ${show(namespace)}`);
    /** @type {string[]} */
    const ids = [];
    for await (const [id] of keyv.iterator()) ids.push(id);
    return ids;
  }
}

/**
 * Keyv removes what has expired when it finds it, a millisecond later than we do.
 * @param {any} raw
 */
function record(raw) {
  const expires = raw?.expires ?? null;
  return raw && (expires === null || expires > Date.now()) ? { expires, value: raw.value } : undefined;
}

/**
 * Whether a Keyv can tell its keys: that of version 6 has an iterator for each store, which gives nothing where the store has none.
 * @param {any} keyv
 */
function canIterate({ iterator, store }) {
  const { exists = true } = store.capabilities?.methods?.iterator ?? {};
  const isInMemory = typeof store.store?.entries === "function";
  return typeof iterator === "function" && (exists || isInMemory);
}

/** @param {string} reason */
function unlisted(reason) {
  const message = `The KEYV client cannot list what it holds: ${reason}. Give Keyv a store that can be iterated, such as a Map or @keyv/redis.`;
  return new PolystoreError("ERR_UNSUPPORTED", message);
}
