import { subject } from "../clients.js";

/** Rows of other code: values that are no JSON. @type {Record<string, string>} */
const FOREIGN = { theme: "dark", half: '{"a":', empty: "" };

const TABLE = "CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at TIMESTAMPTZ)";
const UPSERT = "INSERT INTO kv (id, value) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET value = $2";

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {() => any} connect
 * @param {(client: any) => any} close
 */
export function postgres(kv, name, connect, close) {
  return subject(kv, {
    name,
    type: "POSTGRES",
    atomic: "storage",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY", "NUL in a key": "ERR_KEY" },
    async open() {
      const client = await connect();
      await client.query(TABLE);
      await client.query("DELETE FROM kv");
      return client;
    },
    async reopen(client) {
      await close(client);
      return connect();
    },
    close,
    held: async (client) => (await client.query("SELECT id FROM kv")).rows.map((/** @type {any} */ { id }) => id),
    foreignKeys: Object.keys(FOREIGN),
    async putForeign(client) {
      // The store may not have made it yet.
      await client.query(TABLE);
      for (const row of Object.entries(FOREIGN)) await client.query(UPSERT, row);
    },
    putJson: (client, id, json) => client.query(UPSERT, [id, json]),
    async holdsForeign(client, id) {
      const { rows } = await client.query("SELECT value FROM kv WHERE id = $1", [id]);
      return rows[0]?.value === FOREIGN[id];
    },
  });
}
