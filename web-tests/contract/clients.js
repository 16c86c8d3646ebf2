// The storages that the contract is run over. A new storage is a few lines here, and gets every case and behaviour.

import * as custom from "./clients/custom.js";
import { FakeDocument } from "./clients/fake_document.js";
import { FakeStorage } from "./clients/fake_storage.js";
import { defineMemoryDriver } from "./clients/forage_driver.js";
import { makeClock } from "../../js/contract/subject.js";

/** @typedef {import("../../js/contract/subject.js").Subject} Subject */
/** @typedef {(...args: any[]) => any} Kv */
/** @typedef {Pick<Subject, "name" | "open"> & Partial<Subject>} Traits */

/** What cookies refuse: a cookie is 4096 bytes of percent-encoded text under a name, and a site has some 180. */
const COOKIE_REFUSES = {
  "empty key": "ERR_KEY",
  "lone surrogate key": "ERR_KEY",
  "long key": "ERR_QUOTA",
  "large value": "ERR_QUOTA",
  "many records": "ERR_QUOTA",
  "reserved cookie name": "ERR_CLIENT",
};

/** Texts that other code may have left in a Storage, under names that might be taken for another client's methods. */
const FOREIGN_ITEMS = {
  theme: "dark",
  count: "5",
  "foreign-object": '{"a":1}',
  "foreign-half": '{"value":1}',
  "foreign-cut": '{"expires":nul',
  "foreign-empty": "",
  "foreign-null": "null",
  getWithMetadata: "1",
  get: "1",
  set: "1",
  list: "1",
  delete: "1",
  key: "1",
  length: "1",
  clear: "1",
  getItem: "1",
};

/** Values that are no records, for storages that hold any value. */
const FOREIGN_VALUES = { theme: "dark", count: 5, "foreign-object": { a: 1 }, "foreign-half": { value: 1 }, no: false };

/** Cookies that other code may have set; their text is not JSON. */
const FOREIGN_COOKIES = { theme: "dark", _ga: "GA1.2.3.4", flag: "", cut: "%7B%22a", bad: "%E0%A4%A", quoted: '"a' };

/** What the process has alone, and can change as a whole. */
const IN_PROCESS = /** @type {const} */ ({ atomic: "process", isTransactional: true });

/**
 * The subjects that need nothing but JavaScript: for Node, and for pages.
 * @param {Kv} kv
 * @returns {Subject[]}
 */
export function portableSubjects(kv) {
  return [
    subject(kv, { name: "Map", type: "MEMORY", ...IN_PROCESS, open: () => new Map(), ...inMap((map) => map) }),
    storage(kv, "an object like a Storage", () => new FakeStorage()),
    ...customSubjects(kv),
  ];
}

/**
 * The subjects that stand in for a browser, for Node.
 * @param {Kv} kv
 * @param {any} localForage
 * @returns {Promise<Subject[]>}
 */
export async function simulatedSubjects(kv, localForage) {
  const driver = await defineMemoryDriver(localForage);
  return [
    {
      ...cookies(kv, "cookies of a simulated page"),
      dropsExpired: true,
      open() {
        Object.defineProperty(globalThis, "document", { value: new FakeDocument(), configurable: true });
        return "cookie";
      },
      close: () => void Reflect.deleteProperty(globalThis, "document"),
    },
    forage(kv, "localForage with a driver of the user's own", localForage, driver),
  ];
}

/**
 * The storages of a browser's page.
 * @param {Kv} kv
 * @param {any} localForage
 * @returns {Subject[]}
 */
export function pageSubjects(kv, localForage) {
  return [
    storage(kv, "localStorage", () => localStorage),
    storage(kv, "sessionStorage", () => sessionStorage),
    cookies(kv, "cookies"),
    forage(kv, "localForage over IndexedDB", localForage, localForage.INDEXEDDB),
    forage(kv, "localForage over localStorage", localForage, localForage.LOCALSTORAGE),
    opfs(kv),
  ];
}

/**
 * A log in the private file system of this page's origin. One for all cases: a worker for each would take minutes.
 * @param {Kv} kv
 * @returns {Subject}
 */
function opfs(kv) {
  return subject(kv, {
    name: "OPFS",
    type: "OPFS",
    atomic: "origin",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    async open() {
      await kv("opfs:contract").clear();
      return "opfs:contract";
    },
  });
}

/**
 * @param {Kv} kv
 * @returns {Subject[]}
 */
function customSubjects(kv) {
  const own = (
    /** @type {string} */ name,
    /** @type {() => any} */ open,
    /** @type {Partial<Subject>} */ traits = {},
  ) => subject(kv, { name: `custom client: ${name}`, type: "UNKNOWN", open, ...traits });
  const managing = { managesExpiry: true, identity: true, dropsExpired: true };
  const holding = inMap((client) => client.data);
  return [
    own("without a flag, synchronous", () => new custom.WrappedClass(), holding),
    own("without a flag, answers in a microtask", () => new custom.Wrapped(custom.inMicrotask), holding),
    own("without a flag, answers later", () => new custom.Wrapped(custom.inTimeout), holding),
    own("without a flag, answers from far away", () => new custom.Wrapped(custom.farAway), holding),
    own("without a flag, writes at once and reads slowly", () => new custom.SlowReader(), holding),
    own("without a flag, swaps at once", () => new custom.Swapping(), { ...holding, atomic: "storage" }),
    own("without a flag, swaps later", () => new custom.Swapping(custom.inTimeout), { ...holding, atomic: "storage" }),
    own("without a flag, all methods of its own", () => new custom.WrappedWithAll(), {
      held: holding.held,
      type: "OWN",
      ownKeys: true,
    }),
    own("without a flag, a class", () => classOver(new custom.WrappedClass())),
    own("without a flag, a frozen object", () => Object.freeze(new custom.WrappedClass()), holding),
    own("RAW, synchronous", () => new custom.Raw(), managing),
    own("RAW, answers in a microtask", () => new custom.Raw(custom.inMicrotask), managing),
    own("RAW, answers later", () => new custom.Raw(custom.inTimeout), managing),
    own("RAW, answers from far away", () => new custom.Raw(custom.farAway), managing),
    own("RAW, a frozen object", () => Object.freeze(new custom.Raw()), managing),
    own("RAW, all methods of its own", () => new custom.RawWithAll(), {
      ...managing,
      type: "OWN",
      ownKeys: true,
      dropsExpired: false,
    }),
    own("HAS_EXPIRATION", () => new custom.HasExpiration(), managing),
    own("EXPIRES, of the generation until 2024", () => new custom.Legacy(), managing),
  ];
}

/**
 * A class, as the user may give one, whose instances all share one client's data.
 * @param {custom.WrappedClass} client
 */
function classOver(client) {
  return class extends custom.WrappedClass {
    data = client.data;
  };
}

/**
 * @param {Kv} kv
 * @param {string} name
 * @param {() => any} get
 */
export function storage(kv, name, get) {
  return subject(kv, {
    name,
    type: "STORAGE",
    atomic: "process",
    open() {
      const storage = get();
      storage.clear();
      return storage;
    },
    held: (client) => Array.from({ length: client.length }, (_, i) => client.key(i)),
    foreignKeys: Object.keys(FOREIGN_ITEMS),
    putForeign(client) {
      for (const [key, item] of Object.entries(FOREIGN_ITEMS)) client.setItem(key, item);
    },
    putJson: (client, key, json) => client.setItem(key, recordOf(json)),
    holdsForeign: (client, key) => client.getItem(key) === FOREIGN_ITEMS[/** @type {"theme"} */ (key)],
  });
}

/**
 * @param {Kv} kv
 * @param {string} name
 */
function cookies(kv, name) {
  return subject(kv, {
    name,
    type: "COOKIE",
    atomic: globalThis.navigator?.locks ? "origin" : "process",
    refuses: COOKIE_REFUSES,
    differs: ["life beyond 400 days"],
    open() {
      for (const cookie of document.cookie.split("; ")) {
        for (const path of ["", "; path=/"]) document.cookie = `${cookie.split("=")[0]}=; max-age=0${path}`;
      }
      return "cookie";
    },
    held: () =>
      document.cookie.split("; ").flatMap((cookie) => (cookie ? [decodeURIComponent(cookie.split("=")[0])] : [])),
    foreignKeys: Object.keys(FOREIGN_COOKIES),
    putForeign() {
      for (const [key, value] of Object.entries(FOREIGN_COOKIES)) document.cookie = `${key}=${value}`;
    },
    putJson: (_, key, json) => void (document.cookie = `${key}=${encodeURIComponent(json)}; path=/`),
    holdsForeign: (_, key) =>
      document.cookie.split("; ").includes(`${key}=${FOREIGN_COOKIES[/** @type {"theme"} */ (key)]}`),
  });
}

/**
 * @param {Kv} kv
 * @param {string} name
 * @param {any} localForage
 * @param {string} driver
 */
function forage(kv, name, localForage, driver) {
  return subject(kv, {
    name,
    type: "FORAGE",
    ...(driver === localForage.INDEXEDDB ? { atomic: "origin", isTransactional: true } : {}),
    async open() {
      const instance = localForage.createInstance({ name: "contract", storeName: "contract", driver });
      // Its clear() over localStorage removes while it goes by index, and Chromium moves the rest: it may skip some.
      while ((await instance.length()) > 0) await instance.clear();
      return instance;
    },
    held: (client) => client.keys(),
    foreignKeys: Object.keys(FOREIGN_VALUES),
    async putForeign(client) {
      for (const [key, value] of Object.entries(FOREIGN_VALUES)) await client.setItem(key, value);
    },
    holdsForeign: async (client, key) => (await client.getItem(key)) !== null,
  });
}

/**
 * What lies in a client that keeps a Map.
 * @param {(client: any) => Map<string, unknown>} dataOf
 * @returns {Partial<Subject>}
 */
function inMap(dataOf) {
  /** @type {Record<string, unknown>} */
  const foreign = FOREIGN_VALUES;
  return {
    held: (client) => [...dataOf(client).keys()],
    foreignKeys: Object.keys(foreign),
    putForeign(client) {
      for (const [key, value] of Object.entries(foreign)) dataOf(client).set(key, value);
    },
    holdsForeign: (client, key) => dataOf(client).get(key) === foreign[key],
  };
}

/**
 * The record of a value that does not expire.
 * @param {string} json
 */
export const recordOf = (json) => `{"expires":null,"value":${json}}`;

/**
 * Says everything of a subject, so that nothing is told from a client that is a storage of ours.
 * @param {Kv} kv
 * @param {Traits} traits
 * @returns {Subject}
 */
export function subject(kv, traits) {
  const told = { managesExpiry: false, identity: false, dropsExpired: false, lists: true, ownKeys: false };
  const changes = { atomic: /** @type {const} */ ("none"), isTransactional: false };
  return { kv, clock: makeClock(), refuses: {}, ...told, ...changes, ...traits };
}
