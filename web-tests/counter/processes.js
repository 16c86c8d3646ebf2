// Processes that count together in one storage, and of which some are killed.

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runAcknowledging } from "../support/acknowledging.js";
import { libraries } from "./counters.js";

/** @typedef {import("./counters.js").Library} Library */
/** A place of a storage: `place` is what a client of it is opened with, and `path` where it is for C++. @typedef {{ place: string, path?: string }} Where */

/**
 * What came of a count.
 * @typedef {object} Count
 * @property {number} acknowledged
 * @property {number} unknown The calls that were under way in a process or a tab when that was killed: each may have been made or not.
 * @property {number} stored NaN if what another library left cannot be read any more.
 */

const counter = fileURLToPath(new URL("count.js", import.meta.url));
const nativeCounter = resolve("build/debug/native-tests/polystore_interop_counter");

/**
 * Counts with several processes at once. One that is killed is replaced by another, which makes the calls that are left.
 * @param {object} options
 * @param {Library} [options.library]
 * @param {string} options.storage
 * @param {Where} options.where
 * @param {number} options.calls Of all processes.
 * @param {number} [options.node] The number of processes of JavaScript.
 * @param {number} [options.native] The number of processes of C++.
 * @param {number} [options.kills] How often each process is killed.
 * @param {() => void} [options.onCount] Called when a call is acknowledged.
 * @returns {Promise<Count>}
 */
export async function countInProcesses({
  library = "polystore-wasm",
  storage,
  where: { place, path = "" },
  calls,
  node = 4,
  native = 0,
  kills = 0,
  onCount,
}) {
  const processes = node + native;
  const count = { acknowledged: 0, unknown: 0 };
  const run = async (/** @type {number} */ index) => {
    let left = Math.floor((calls + index) / processes);
    for (let kill = 0; left > 0; ++kill) {
      // At any number of calls, so that processes are not killed all at once; the last one makes the calls that are left.
      const killAt = kill < kills ? 1 + Math.floor((Math.random() * 2 * left) / (kills - kill + 1)) : Infinity;
      const command = index < node ? nodeCommand(library, storage, place, left) : nativeCommand(path, left);
      const { acknowledged, isKilled } = await runAcknowledging(command, { killAt, onLine: onCount });
      count.acknowledged += acknowledged;
      if (isKilled) {
        ++count.unknown;
        left -= acknowledged;
      } else {
        left = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: processes }, (_, index) => run(index)));
  const { read, close } = await libraries[library](storage, place);
  const stored = await read().catch((error) => (library === "polystore-wasm" ? Promise.reject(error) : NaN));
  await close();
  return { ...count, stored };
}

/**
 * @param {Library} library
 * @param {string} storage
 * @param {string} place
 * @param {number} calls
 * @returns {[string, string[]]}
 */
function nodeCommand(library, storage, place, calls) {
  return [process.execPath, [counter, library, storage, place, String(calls)]];
}

/**
 * @param {string} path
 * @param {number} calls
 * @returns {[string, string[]]}
 */
function nativeCommand(path, calls) {
  return [nativeCounter, [path, String(calls)]];
}
