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
  const open = (/** @type {any} */ client, /** @type {any} */ options) => {
    const isOurs = typeof client === "string" && (options ?? {}) instanceof Object;
    return kv(client, isOurs ? { durability, ...options } : options);
  };
  return subject(open, {
    name: `a log, ${durability}`,
    type: "LOG",
    atomic: "origin",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    open: () => pathToFileURL(join(folder, `${durability}-${++logs}.kv`)).href,
  });
}
