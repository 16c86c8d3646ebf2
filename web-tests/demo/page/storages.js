// What the page shows side by side. A line here is all that a storage needs.

/**
 * @typedef {object} ShownStorage
 * @property {string} name
 * @property {string} code What is wrapped, as the page shows it.
 * @property {() => any} client The same, to be run.
 * @property {string} note
 */

/** @type {ShownStorage[]} */
export const storages = [
  {
    name: "localStorage",
    code: "kv(localStorage)",
    client: () => localStorage,
    note: "Outlives the tab and the browser. About 5 MB.",
  },
  {
    name: "sessionStorage",
    code: "kv(sessionStorage)",
    client: () => sessionStorage,
    note: "Outlives a reload, not the tab. About 5 MB.",
  },
  {
    name: "Cookies",
    code: 'kv("cookie")',
    client: () => "cookie",
    note: "4 KB an entry. Outlives the browser; gone after 400 days at most.",
  },
  {
    name: "localForage",
    code: "kv(localforage)",
    client: () => localforage,
    note: "Outlives the browser, and holds gigabytes. Your own instance, over IndexedDB here.",
  },
  {
    name: "IndexedDB",
    code: 'kv("indexeddb:demo")',
    client: () => "indexeddb:demo",
    note: "Outlives the browser, and holds gigabytes. Calls of one tick share a transaction.",
  },
  {
    name: "OPFS",
    code: 'kv("opfs:demo")',
    client: () => "opfs:demo",
    note: "Outlives the browser, and holds gigabytes. A log in the private file system, shared by all tabs.",
  },
];
