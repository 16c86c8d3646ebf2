import { recordOf, subject } from "../clients.js";

/** Pairs of other code, which are no records. @type {Record<string, string>} */
const FOREIGN = { theme: "dark", half: '{"expires":nu', list: "[1]", empty: "" };

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {() => any} connect
 * @param {(client: any) => void} close
 */
export function etcd(kv, name, connect, close) {
  return subject(kv, {
    name,
    type: "ETCD3",
    atomic: "storage",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    async open() {
      const client = connect();
      await client.delete().all();
      return client;
    },
    reopen(client) {
      close(client);
      return connect();
    },
    close,
    second: connect,
    // The one key that is no text is the empty one.
    held: async (client) =>
      (await client.getAll().keys()).map((/** @type {string} */ key) => (key === "\ufffd" ? "" : key)),
    foreignKeys: Object.keys(FOREIGN),
    async putForeign(client) {
      for (const [key, value] of Object.entries(FOREIGN)) await client.put(key).value(value);
    },
    putJson: (client, key, json) => client.put(key).value(recordOf(json)),
    holdsForeign: async (client, key) => (await client.get(key)) === FOREIGN[key],
  });
}
