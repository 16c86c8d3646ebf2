import { clientsOfPlatform } from "#clients";
import { has, hasMethods } from "../support/has.js";
import { Memory } from "../clients/memory.js";
import { isStorage, WebStorage } from "../clients/storage.js";

/** @typedef {Pick<typeof import("./source.js"), "Source">} Sources */

/**
 * Ends what the user gave, for a close() of what could not be opened; or, while it is being opened, only lets that fail if it
 * would take for ever.
 * @typedef {(input: any, isOpening?: boolean) => unknown} End
 */

/**
 * A client that we know: how to recognize what the user gave, and how to open it. One whose `open` is asynchronous is
 * loaded when it is first wrapped, so that a page that wraps localStorage downloads nothing else.
 * @typedef {object} KnownClient
 * @property {string} type
 * @property {(input: any) => boolean} recognizes
 * @property {(input: any, durability: import("../core/client.js").Durability) => import("../core/client.js").Client | Promise<import("../core/client.js").Client>} open
 * @property {End} [end]
 * @property {boolean} [isDurable] Whether `open` asks for the durability.
 * @property {(sources: Sources, input: any) => import("./source.js").Source} [makeSource] In place of `open`, where the calls
 *   of several requests have to be kept apart.
 */

/** In the order in which they are tried. @type {KnownClient[]} */
export const knownClients = [
  ...clientsOfPlatform,
  {
    type: "COOKIE",
    recognizes: (input) => typeof input === "string" && /^cookie(;|$)/.test(input),
    open: async (client) => new (await import("../clients/cookie/cookie.js")).Cookie(client.slice("cookie".length)),
  },
  {
    type: "INDEXEDDB",
    recognizes: (input) =>
      typeof input === "string" ? /^indexeddb:./s.test(input) : has("open", "deleteDatabase")(input),
    open: async (input, durability) =>
      (await import("../clients/indexeddb/indexeddb.js")).openIndexedDb(input, durability),
    isDurable: true,
  },
  {
    type: "API",
    recognizes: (input) => typeof input === "string" && /^https?:\/\//i.test(input),
    open: async (url) => new (await import("../clients/http/http.js")).Http(url),
  },
  {
    type: "LRUCACHE",
    recognizes: (input) => hasMethods(input, "getRemainingTTL", "peek", "dump"),
    open: async (cache) => new (await import("../clients/lru_cache.js")).LruCache(cache),
  },
  {
    type: "KEYV",
    recognizes: (input) => hasMethods(input, "getRaw", "getManyRaw", "deleteMany"),
    open: async (keyv) => new (await import("../clients/keyv.js")).Keyv(keyv),
  },
  {
    type: "WEAKLRUCACHE", // Before MEMORY, for it is a Map, of entries.
    recognizes: (input) => hasMethods(input, "getValue", "setValue", "onRemove"),
    open: async (cache) => new (await import("../clients/weak_lru_cache.js")).WeakLruCache(cache),
  },
  {
    type: "MEMORY",
    // Not instanceof: a Map may come from another window.
    recognizes: (input) => Object.prototype.toString.call(input) === "[object Map]",
    open: (map) => new Memory(map),
  },
  {
    type: "FORAGE", // Before STORAGE, whose methods it has too.
    recognizes: (input) => hasMethods(input, "defineDriver", "dropInstance"),
    open: async (forage) => (await import("../clients/localforage.js")).openLocalForage(forage),
  },
  {
    type: "LEVEL", // Any `abstract-level`, a sublevel too; browser-level is one for pages.
    recognizes: has("put", "del", "batch", "iterator"),
    open: async (database) => {
      // Which one that was closed needs, and another does not mind; now, for later the user may have closed it anew.
      await database.open();
      return (await import("../clients/level.js")).openLevel(database);
    },
  },
  {
    type: "STORAGE",
    recognizes: isStorage,
    open: (storage) => new WebStorage(storage),
  },
];
