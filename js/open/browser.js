/** Examples of clients, for the error of an argument that kv() cannot wrap. */
export const examples = 'localStorage, sessionStorage, localForage, "cookie", "indexeddb:name", "opfs:name"';

/** The clients that exist in browsers only. @type {import("./known_clients.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "OPFS",
    recognizes: (input) => typeof input === "string" && /^opfs:./s.test(input),
    open: async (url, durability) => (await import("../clients/opfs/opfs.js")).openOpfs(url.slice(5), durability),
    isDurable: true,
  },
];
