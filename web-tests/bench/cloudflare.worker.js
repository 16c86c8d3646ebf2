// A Worker with a store of either library, each over a namespace of Cloudflare KV. servers.js asks it for a work of works.js at a
// time: `/ours/fill`, `/theirs/get`.

import upstream from "polystore";
import kv from "polystore-wasm";
import { fill, works } from "./works.js";

export default {
  /**
   * @param {Request} request
   * @param {{ KV: any, OTHER: any }} env
   */
  async fetch(request, env) {
    const [side, what] = decodeURIComponent(new URL(request.url).pathname.slice(1)).split("/");
    const store = side === "ours" ? kv(env.KV) : upstream(env.OTHER);
    await (what === "fill" ? fill(store, 0, 1000) : works[what].run(store));
    return new Response();
  },
};
