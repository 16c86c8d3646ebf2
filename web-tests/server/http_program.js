// A server for the tests, in Bun or in Deno: what their users write.

import kv from "../../dist/index.js";
import { handler } from "../../dist/server.js";

const { Bun, Deno } = /** @type {any} */ (globalThis);
const handle = handler(kv(new Map()), { token: "s3cret", maxBody: 100_000, path: "/store" });
const print = (/** @type {{ port: number }} */ { port }) => console.log(`port ${port}.`);
if (Bun) print(Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handle }));
else Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: print }, handle);
