import { PolystoreError, sentence } from "../../support/errors.js";
import { shared } from "../../support/shared.js";

/** @typedef {import("./in_place.js").WorkerLike} WorkerLike */
/** @typedef {import("./protocol.d.ts").Failure & { isUnavailable?: boolean }} Failure */

/** How long a worker may take until it runs, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Starts a page's worker: from its file beside this one, which is where it is as the package has it, and where some bundlers put
 * it; else from a text; else, where a page's policy forbids that or there are no workers, what serves in place of one.
 * @param {{ name: string, session: number }} begin
 * @returns {Promise<WorkerLike>} It runs, and has its lock.
 * @throws {PolystoreError} ERR_CLIENT where nothing of that can be loaded; or why the browser refuses what all of it needs.
 */
export async function startWorker(begin) {
  /** @type {unknown} */
  let failure;
  for (const start of [workerOfFile, workerOfText, inPlace]) {
    try {
      return await started(start, begin);
    } catch (error) {
      if (error instanceof PolystoreError) throw error;
      failure ??= error;
    }
  }
  const reason = sentence(/** @type {Error} */ (failure).message);
  const message = `The worker of the log could not be started: ${reason} If a bundler made this program, add import "polystore-wasm/opfs" to it, which brings the worker along.`;
  throw new PolystoreError("ERR_CLIENT", message, { cause: failure });
}

const workerOfFile = () => new Worker(trusted(new URL("./worker.js", import.meta.url).href));

async function workerOfText() {
  if (!globalThis.Worker) throw new Error("there are no workers here"); // So the text need not be loaded.
  const { default: text } = await (shared.opfs ? shared.opfs.text() : beside("./worker_text.js"));
  return new Worker(trusted(URL.createObjectURL(new Blob([text], { type: "text/javascript" }))));
}

/**
 * Loads a file of the package where that is not bundled. Bundlers do not see it: those that make one file would put the engine,
 * which is 50 KB (brotli), into every page. For them there is js/opfs.js.
 * @param {string} path
 * @returns {Promise<any>}
 */
const beside = (path) => import(/* webpackIgnore: true */ /* @vite-ignore */ path);

async function inPlace() {
  const { startInPlace } = await (shared.opfs ? shared.opfs.inPlace() : beside("./in_place.js"));
  return startInPlace();
}

/**
 * @param {() => WorkerLike | Promise<WorkerLike>} start
 * @param {{ name: string, session: number }} begin
 * @returns {Promise<WorkerLike>}
 */
async function started(start, begin) {
  const worker = await start();
  try {
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => ("failure" in Object(data) ? reject(errorOf(data.failure)) : resolve(undefined));
      worker.onerror = ({ message }) => reject(new Error(message ?? "it was not loaded"));
      // Not setTimeout(), which tests replace.
      if (!worker.isInPlace)
        AbortSignal.timeout(PATIENCE).onabort = () => reject(new Error(`it did not run within ${PATIENCE / 1000} s`));
      worker.postMessage({ begin });
    });
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return worker;
}

/** @type {{ createScriptURL: (url: string) => any } | undefined} */
let policy;

/**
 * A URL of ours, for pages whose policy demands trusted types: it may name "polystore-wasm".
 * @param {string} url
 */
function trusted(url) {
  try {
    const { trustedTypes } = /** @type {any} */ (globalThis);
    policy ??= trustedTypes?.createPolicy("polystore-wasm", { createScriptURL: (/** @type {string} */ url) => url });
  } catch {
    // The page's policy does not name us; where it demands trusted types, no worker is started.
  }
  return policy ? policy.createScriptURL(url) : url;
}

/**
 * An error of a worker.
 * @param {Failure} failure
 */
export function errorOf({ code, message, cause, isUnavailable }) {
  const options = cause && { cause: Object.assign(new Error(cause.message), { name: cause.name }) };
  return Object.assign(new PolystoreError(code, message, options), { isUnavailable });
}
