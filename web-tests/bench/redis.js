// Changes in Redis, against the commands of Redis itself, sent by the same client: they are what nothing over it can be better than.

import kv from "polystore-wasm";
import { createClient } from "redis";
import { startRedis } from "../support/redis.js";
import { KEYS } from "./contests.js";
import { measure } from "./measure.js";

const THOUSAND = Array.from({ length: 1000 });

export async function inRedis() {
  const { port, stop } = await startRedis();
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  const store = kv(client);
  /** @type {[name: string, target: number | undefined, operations: number, ours: Run, theirs: Run][]} */
  const races = [
    [
      "1,000 incr of one key at once",
      0.8,
      1000,
      () => Promise.all(THOUSAND.map(() => store.incr("ours"))),
      () => Promise.all(THOUSAND.map(() => client.incr("theirs"))),
    ],
    [
      "1,000 incr of 1,000 keys at once",
      0.8,
      1000,
      () => Promise.all(KEYS.map((key) => store.incr(`ours:${key}`))),
      () => Promise.all(KEYS.map((key) => client.incr(`theirs:${key}`))),
    ],
    [
      "incr, one at a time",
      undefined,
      200,
      async () => {
        for (let i = 0; i < 200; ++i) await store.incr("ours");
      },
      async () => {
        for (let i = 0; i < 200; ++i) await client.incr("theirs");
      },
    ],
  ];
  const results = [];
  for (const [name, target, operations, ours, theirs] of races) {
    const contest = { name: `Redis: ${name}`, target, operations, against: "INCR" };
    results.push(await measure({ ...contest, ours: async () => ours, theirs: async () => theirs }));
  }
  await client.close();
  await stop();
  return results;
}

/** @typedef {() => Promise<unknown>} Run */
