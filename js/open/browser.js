/** What the error of what cannot be wrapped names here. */
export const examples = 'localStorage, sessionStorage, localForage, "cookie", "indexeddb:name", "opfs:name"';

/** What only a page can wrap, beyond the clients that both can. @type {import("./known_clients.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "OPFS",
    recognizes: (input) => typeof input === "string" && /^opfs:./s.test(input),
    open: async (url, durability) => (await import("../clients/opfs/opfs.js")).openOpfs(url.slice(5), durability),
    isDurable: true,
  },
];
