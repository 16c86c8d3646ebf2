import { clientsOfPlatform } from "#clients";
import { has, hasMethods } from "../support/has.js";
import { Memory } from "../clients/memory.js";
import { isStorage, WebStorage } from "../clients/storage.js";

/** @typedef {Pick<typeof import("./source.js"), "Source">} Sources */

/**
 * Ends the object that the user passed, for a close() of a client that could not be opened. With `isOpening`, it only makes the
 * opening fail if that might never settle.
 * @typedef {(input: any, isOpening?: boolean) => unknown} End
 */

/**
 * A kind of client: how to recognize the user's argument, and how to open it. An asynchronous `open` imports the client's module
 * when it is first wrapped, so that a page that wraps localStorage downloads nothing else.
 * @typedef {object} KnownClient
 * @property {string} type
 * @property {(input: any) => boolean} recognizes
 * @property {(input: any, durability: import("../core/client.js").Durability) => import("../core/client.js").Client | Promise<import("../core/client.js").Client>} open
 * @property {End} [end]
 * @property {boolean} [isDurable] True if `open` takes the durability.
 * @property {(sources: Sources, input: any) => import("./source.js").Source} [makeSource] Makes the source in place of `open`, if the
 *   calls of several requests have to be kept apart.
 */

/** The known clients, in the order in which they are tried. @type {KnownClient[]} */
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
    type: "WEAKLRUCACHE", // It comes before MEMORY, because it is a Map itself.
    recognizes: (input) => hasMethods(input, "getValue", "setValue", "onRemove"),
    open: async (cache) => new (await import("../clients/weak_lru_cache.js")).WeakLruCache(cache),
  },
  {
    type: "MEMORY",
    // A Map of another window is not an instance of this window's Map.
    recognizes: (input) => Object.prototype.toString.call(input) === "[object Map]",
    open: (map) => new Memory(map),
  },
  {
    type: "FORAGE", // It comes before STORAGE, because it has the methods of a Storage too.
    recognizes: (input) => hasMethods(input, "defineDriver", "dropInstance"),
    open: async (forage) => (await import("../clients/localforage.js")).openLocalForage(forage),
  },
  {
    type: "LEVEL", // Any `abstract-level` or sublevel, for example browser-level in pages.
    recognizes: has("put", "del", "batch", "iterator"),
    open: async (database) => {
      // open() reopens a closed database and does nothing to an open one. It is called before the import, during which the user may
      // close the database again.
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
