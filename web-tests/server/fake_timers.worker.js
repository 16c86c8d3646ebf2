// A Worker whose timers are fake. web-tests/server/fake_timers.test.js asks it.

import kv from "polystore-wasm";
import { checkUnderFakeTimers } from "./fake_timers_check.js";

export default {
  /**
   * @param {Request} _
   * @param {{ KV: any }} env
   */
  async fetch(_, { KV }) {
    await checkUnderFakeTimers(() => kv(KV));
    return new Response("done");
  },
};
