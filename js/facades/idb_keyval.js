import { PolystoreTypeError, show } from "../support/errors.js";

/** @typedef {import("../index.d.ts").Store<any>} Store */
/** @typedef {import("./idb_keyval.d.ts").Key} Key */

/**
 * The functions of idb-keyval over a store. idb_keyval.d.ts documents them.
 * @param {Store} store
 * @returns {import("./idb_keyval.d.ts").IdbKeyval}
 */
export function idbKeyval(store) {
  /** @type {(database: string, name: string) => Store} */
  const createStore = (...names) => store.prefix(`${names.map(encodeURIComponent).join("/")}/`);
  const common = createStore("keyval-store", "keyval"); // the names in idb-keyval

  /** @param {Store} custom */
  const entries = async (custom = common) => {
    const found = (await custom.entries()).map(([text, value]) => /** @type {[any, any]} */ ([keyOf(text), value]));
    return found.sort(([one], [other]) => compare(one, other));
  };

  return {
    createStore,
    entries,
    get: async (key, custom = common) => (await custom.get(textOf(key))) ?? undefined,
    getMany: async (keys, custom = common) =>
      (await custom.getMany(keys.map(textOf))).map((value) => value ?? undefined),
    async set(key, value, custom = common) {
      await custom.set(textOf(key), value);
    },
    async setMany(list, custom = common) {
      await custom.batch(list.map(([key, value]) => ["set", textOf(key), value ?? null]));
    },
    update: async (key, updater, custom = common) =>
      (await custom.update(textOf(key), (value) => updater(value ?? undefined))) ?? undefined,
    async del(key, custom = common) {
      await custom.del(textOf(key));
    },
    async delMany(keys, custom = common) {
      await custom.delMany(keys.map(textOf));
    },
    clear: async (custom = common) => custom.clear(),
    keys: async (custom = common) => (await custom.keys()).map(keyOf).sort(compare),
    values: async (custom = common) => (await entries(custom)).map(([, value]) => value),
  };
}

/**
 * A text for each key that IndexedDB can have. That of a text is the text itself, unless it begins with "~", which marks the others.
 * @param {Key} key
 * @returns {string}
 * @throws {PolystoreTypeError} ERR_KEY
 */
function textOf(key) {
  if (typeof key === "string") return key.startsWith("~") ? `~s${key}` : key;
  if (typeof key === "number" && !Number.isNaN(key)) return `~n${key}`;
  if (key instanceof Date && !Number.isNaN(Number(key))) return `~d${Number(key)}`;
  if (Array.isArray(key)) return `~a${JSON.stringify(Array.from(key, textOf))}`;
  if (key instanceof ArrayBuffer) return `~b${hex(new Uint8Array(key))}`;
  if (ArrayBuffer.isView(key)) return `~b${hex(new Uint8Array(key.buffer, key.byteOffset, key.byteLength))}`;
  throw new PolystoreTypeError(
    "ERR_KEY",
    `The key is ${show(key)}; it must be a string, a number, a valid Date, an ArrayBuffer, a view of one, or an array of these.`,
  );
}

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {string} text
 * @returns {any} The key.
 */
function keyOf(text) {
  const rest = text.slice(2);
  if (text.startsWith("~s")) return rest;
  if (text.startsWith("~n")) return Number(rest);
  if (text.startsWith("~d")) return new Date(Number(rest));
  if (text.startsWith("~a")) return JSON.parse(rest).map(keyOf);
  if (text.startsWith("~b")) return Uint8Array.from(rest.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer;
  return text;
}

/** The order of IndexedDB: numbers, dates, texts, bytes, arrays. @param {Key} key */
const rankOf = (key) =>
  typeof key === "number" ? 0 : key instanceof Date ? 1 : typeof key === "string" ? 2 : Array.isArray(key) ? 4 : 3;

/**
 * @param {any} one
 * @param {any} other
 * @returns {number}
 */
function compare(one, other) {
  const rank = rankOf(one);
  if (rank !== rankOf(other)) return rank - rankOf(other);
  if (rank < 3) return one < other ? -1 : Number(one > other);
  const [left, right] = rank === 3 ? [new Uint8Array(one), new Uint8Array(other)] : [one, other];
  const i = left.findIndex(
    (/** @type {any} */ item, /** @type {number} */ i) => i >= right.length || compare(item, right[i]),
  );
  if (i < 0) return left.length - right.length;
  return i < right.length ? compare(left[i], right[i]) : 1;
}
