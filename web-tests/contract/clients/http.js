import { subject } from "../clients.js";

/** What other code may have put into the Map of the server: values that are no records. @type {Record<string, unknown>} */
const FOREIGN = { theme: "dark", count: 5, "foreign-object": { a: 1 }, "foreign-half": { value: 1 }, no: false };

/**
 * A server of ours over a Map.
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {{ url: string, map: Map<string, unknown> }} server
 */
export function http(kv, name, { url, map }) {
  return subject(kv, {
    name,
    type: "API",
    atomic: "origin",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    open() {
      map.clear();
      return url;
    },
    held: () => [...map.keys()],
    foreignKeys: Object.keys(FOREIGN),
    putForeign() {
      for (const [key, value] of Object.entries(FOREIGN)) map.set(key, value);
    },
    holdsForeign: (_, key) => map.get(key) === FOREIGN[key],
  });
}

/**
 * A server of ours in another process, which is told our time by every request.
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {string} url
 */
export function distantHttp(kv, name, url) {
  const { fetch } = globalThis;
  /** @param {any} target @param {RequestInit} [init] */
  const fetchNow = (target, init) => {
    if (!String(target).startsWith(url)) return fetch(target, init);
    return fetch(`${target}${target.includes("?") ? "&" : "?"}now=${Date.now()}`, init);
  };
  return subject(kv, {
    name,
    type: "API",
    atomic: "origin",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    async open() {
      globalThis.fetch = fetchNow;
      await fetch(`${url}/?prefix=`, { method: "DELETE" });
      return url;
    },
    close() {
      globalThis.fetch = fetch;
    },
  });
}
