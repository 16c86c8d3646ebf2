import { subject } from "../clients.js";

/** What other code may have put there: texts that are no JSON, with metadata that means something to it. */
const FOREIGN = /** @type {Record<string, [text: string, options?: any]>} */ ({
  theme: ["dark"],
  half: ['{"a":', { metadata: null }],
  empty: ["", { metadata: ["a"] }],
  dated: ["1.2.3", { metadata: { expires: 1, version: "1.2.3" } }],
  brief: ["<html>", { metadata: "brief", expirationTtl: 3600 }],
});

/**
 * A namespace of Cloudflare KV. The platform's own clock is the real one: what the contract lets expire is still there, and
 * what says that it has expired is ours.
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {any} namespace
 */
export function cloudflare(kv, name, namespace) {
  return subject(kv, {
    name,
    type: "CLOUDFLARE",
    refuses: { "empty key": "ERR_KEY", "dots only": "ERR_KEY", "lone surrogate key": "ERR_KEY", "long key": "ERR_KEY" },
    dropsExpired: true,
    watches: false,
    async open() {
      await empty(namespace);
      return namespace;
    },
    foreignKeys: Object.keys(FOREIGN),
    async putForeign() {
      for (const [key, [text, options]] of Object.entries(FOREIGN)) await namespace.put(key, text, options);
    },
    putJson: (_, key, json) => namespace.put(key, json),
    holdsForeign: async (_, key) => (await namespace.get(key)) === FOREIGN[key][0],
  });
}

/** Deletes all that a namespace holds. @param {any} namespace */
export async function empty(namespace) {
  for (;;) {
    const { keys } = await namespace.list();
    if (keys.length === 0) return;
    await Promise.all(keys.map((/** @type {{ name: string }} */ { name }) => namespace.delete(name)));
  }
}
