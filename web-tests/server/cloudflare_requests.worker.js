// A Worker that has one store for all its requests, and leaves calls unfinished: when a request ends, what it began never
// settles. web-tests/server/cloudflare.test.js asks it to.

import { env } from "cloudflare:workers";
import kv from "polystore-wasm";

const store = kv(env.KV);

/** @type {Record<string, () => unknown>} */
const actions = {
  /** Begins calls of all kinds, waits for none, and ends. */
  "/leave": () => {
    store.get("read");
    store.set("written", 1);
    store.del("deleted");
    store.keys();
  },
  "/clear": () => void store.clear(),
  "/read": async () => [await store.get("read"), (await store.keys()).length],
  "/after": async () => {
    await Promise.all(["read", "written", "deleted"].map((key) => store.set(key, 2)));
    return [await store.get("read"), await store.get("written"), (await store.keys()).length];
  },
};

export default {
  /** @param {Request} request */
  async fetch(request) {
    const result = await actions[new URL(request.url).pathname]();
    return Response.json(result ?? null);
  },
};
