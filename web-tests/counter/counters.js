// A counter in each storage of a server, by each library.

import kv from "polystore-wasm";
import { atomicCounter, fromUnstorage, plainCounter } from "./increments.js";

/** @typedef {import("./increments.js").Counter & { close: () => unknown }} OpenCounter */

/** The client of each storage, from the place where that is. @type {Record<string, (place: string) => Promise<{ client: any, close: () => unknown }>>} */
const clients = {
  File: async (client) => ({ client, close() {} }),
  Folder: async (client) => ({ client, close() {} }),
  async SQLite(path) {
    const { default: Database } = await import("better-sqlite3");
    // Of processes that write all the time, one may wait longer than the 5 s after which better-sqlite3 gives up.
    const client = new Database(path, { timeout: 60_000 });
    client.pragma("journal_mode = WAL");
    return { client, close: () => client.close() };
  },
  async Redis(url) {
    const { createClient } = await import("redis");
    const client = await createClient({ url }).connect();
    return { client, close: () => client.close() };
  },
  async etcd(hosts) {
    const { Etcd3 } = await import("etcd3");
    const client = new Etcd3({ hosts });
    return { client, close: () => client.close() };
  },
  async Postgres(connectionString) {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString });
    await client.connect();
    return { client, close: () => client.end() };
  },
};

/** The drivers of unstorage. @type {Record<string, (place: string) => Promise<any>>} */
const drivers = {
  async Folder(url) {
    const { default: fs } = await import("unstorage1/drivers/fs-lite");
    return fs({ base: new URL(url).pathname });
  },
  async Redis(url) {
    const { default: redis } = await import("unstorage1/drivers/redis");
    return redis({ url });
  },
};

/** @param {any} client A client of Redis, as the storage of a Keyv. */
const keyvAdapter = (client) => ({
  get: async (/** @type {string} */ key) => (await client.get(key)) ?? undefined,
  set: (/** @type {string} */ key, /** @type {string} */ value) => client.set(key, value),
  delete: async (/** @type {string} */ key) => (await client.del(key)) > 0,
  clear: () => client.flushDb(),
});

/** @typedef {(storage: string, place: string) => Promise<OpenCounter>} Open */

/** @param {(client: any) => import("./increments.js").Counter | Promise<import("./increments.js").Counter>} counterOf @returns {Open} */
const withClient = (counterOf) => async (storage, place) => {
  const { client, close } = await clients[storage](place);
  return { ...(await counterOf(client)), close };
};

/** How each library opens a counter. A process loads only the one that it counts with. */
export const libraries = {
  "polystore-wasm": withClient((client) => atomicCounter(kv(client))),
  polystore: withClient(async (client) => {
    const { default: upstream } = await import("polystore");
    return plainCounter(upstream(client));
  }),
  /** @type {Open} */
  async unstorage(storage, place) {
    const { createStorage } = await import("unstorage1");
    const made = createStorage({ driver: await drivers[storage](place) });
    return { ...plainCounter(fromUnstorage(made)), close: () => made.dispose() };
  },
  keyv: withClient(async (client) => {
    const { Keyv } = await import("keyv6");
    return plainCounter(new Keyv({ store: keyvAdapter(client) }));
  }),
};

/** @typedef {keyof typeof libraries} Library */
