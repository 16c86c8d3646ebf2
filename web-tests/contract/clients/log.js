import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { subject } from "../clients.js";

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} folder In which each case has a log of its own.
 * @param {"strict" | "relaxed"} durability
 */
export function log(kv, folder, durability) {
  let logs = 0;
  return subject((client, options) => kv(client, { durability, ...options }), {
    name: `a log, ${durability}`,
    type: "LOG",
    refuses: { "lone surrogate key": "ERR_KEY" },
    open: () => pathToFileURL(join(folder, `${durability}-${++logs}.kv`)).href,
  });
}
