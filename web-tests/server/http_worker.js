// A server for the tests, in workerd: what its users write.

import kv from "polystore-wasm";
import { handler } from "polystore-wasm/server";

export default {
  /**
   * @param {Request} request
   * @param {{ KV: any }} env
   */
  fetch: (request, env) => handler(kv(env.KV), { token: "s3cret", maxBody: 100_000, path: "/store" })(request),
};
