import { subject } from "../clients.js";

/** What other code may have put there: texts that are no JSON, and things that are no texts. @type {Record<string, string[]>} */
const FOREIGN = {
  theme: ["SET", "theme", "dark"],
  half: ["SET", "half", '{"a":'],
  empty: ["SET", "empty", ""],
  hash: ["HSET", "hash", "field", "1"],
  list: ["RPUSH", "list", "1"],
  set: ["SADD", "set", "1"],
};

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {import("../../support/redis.js").ServerClock} clock
 * @param {() => any} open A client that is connected, or will be.
 * @param {(client: any, command: string[]) => Promise<any>} send
 * @param {boolean} [isTransactional] False for a cluster: the keys of the contract are on several servers.
 */
export function redis(kv, name, clock, open, send, isTransactional = true) {
  const connect = async () => noteWrites(await open(), clock);
  return subject(kv, {
    name,
    type: "REDIS",
    atomic: "storage",
    isTransactional,
    clock,
    refuses: { "lone surrogate key": "ERR_KEY" },
    differs: ["pages in order"], // page() without bounds is SCAN; a test of its own says what holds.
    dropsExpired: true,
    async open() {
      const client = await connect();
      await send(client, ["FLUSHALL"]);
      return client;
    },
    async reopen(client) {
      await close(client);
      return connect();
    },
    close,
    second: isTransactional ? connect : undefined,
    hearsOthers: false,
    foreignKeys: Object.keys(FOREIGN),
    async putForeign(client) {
      for (const command of Object.values(FOREIGN)) await send(client, command);
    },
    putJson: (client, key, json) => send(client, ["SET", key, json]),
    holdsForeign: async (client, key) => (await send(client, ["EXISTS", key])) === 1,
  });
}

/** @param {any} client */
async function close(client) {
  if (client.isOpen !== false && client.status !== "end") await client.quit();
}

/**
 * Lets the clock know of what a client writes.
 * @param {any} client
 * @param {import("../../support/redis.js").ServerClock} clock
 */
function noteWrites(client, clock) {
  const method = client.sendCommand && "isOpen" in client ? "sendCommand" : "call";
  const send = client[method].bind(client);
  client[method] = (/** @type {any[]} */ ...args) => {
    const [name] = args.find(Array.isArray) ?? args; // Before the command, a cluster is given its key.
    if (name === "SET") clock.written = true;
    return send(...args);
  };
  return client;
}
