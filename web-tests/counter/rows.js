// The rows of the table that `npm run counter` shows. The tests count the same with fewer calls.

/**
 * @typedef {object} Row
 * @property {string} storage
 * @property {string} writers Who counts.
 * @property {import("./counters.js").Library[]} peers The libraries that have a client, a driver or an adapter for the storage.
 */
/** @type {(Row & { node: number, native?: number, kills?: number })[]} */
export const processRows = [
  { storage: "File", writers: "4 processes of Node, 2 of C++", node: 4, native: 2, kills: 5, peers: ["polystore"] },
  {
    storage: "Folder",
    writers: "4 processes of Node, 2 of C++",
    node: 4,
    native: 2,
    kills: 5,
    peers: ["polystore", "unstorage"],
  },
  { storage: "SQLite", writers: "4 processes", node: 4, kills: 5, peers: ["polystore"] },
  { storage: "Redis", writers: "4 processes", node: 4, peers: ["polystore", "unstorage", "keyv"] },
  { storage: "etcd", writers: "4 processes", node: 4, peers: ["polystore"] },
  { storage: "Postgres", writers: "4 processes", node: 4, peers: ["polystore"] },
];

/** @type {(Row & { tabs: number, kills?: number })[]} */
export const tabRows = [
  { storage: "IndexedDB", writers: "8 tabs", tabs: 8, peers: ["polystore", "unstorage"] },
  { storage: "OPFS", writers: "8 tabs", tabs: 8, peers: [] },
  { storage: "OPFS", writers: "the owner and 3 other tabs", tabs: 4, kills: 6, peers: [] },
  { storage: "cookies", writers: "8 tabs", tabs: 8, peers: ["polystore"] },
];
