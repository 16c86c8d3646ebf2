import { PolystoreError, sentence } from "../../support/errors.js";
import { shared } from "../../support/shared.js";

/** @typedef {import("./in_place.js").WorkerLike} WorkerLike */
/** @typedef {import("./protocol.d.ts").Failure & { isUnavailable?: boolean }} Failure */

/** How long a worker may take to start, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Starts a page's worker. Tries three ways, in order: the worker's file beside this module, as in the package and with some bundlers;
 * the worker's source as a Blob; and a replacement in this thread, for pages whose policy forbids workers and contexts without them.
 * @param {{ name: string, session: number }} begin
 * @returns {Promise<WorkerLike>} The worker, which runs and holds its lock.
 * @throws {PolystoreError} ERR_CLIENT if none of them can be loaded; another code if the browser refuses what all of them need.
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
  const message = `The worker of the log could not be started: ${reason} If this program is bundled, add import "polystore-wasm/opfs" to it: that makes the bundler include the worker.`;
  throw new PolystoreError("ERR_CLIENT", message, { cause: failure });
}

const workerOfFile = () => new Worker(trusted(new URL("./worker.js", import.meta.url).href));

async function workerOfText() {
  if (!globalThis.Worker) throw new Error("this context cannot start workers"); // The source need not be loaded then.
  const { default: text } = await (shared.opfs ? shared.opfs.text() : beside("./worker_text.js"));
  return new Worker(trusted(URL.createObjectURL(new Blob([text], { type: "text/javascript" }))));
}

/**
 * Loads a file of the package, if the package is not bundled. The import is hidden from bundlers: a bundler that makes a single file
 * would put the engine (50 KB brotli) into every page. For bundlers, the package has js/opfs.js.
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
      worker.onerror = ({ message }) => reject(new Error(message ?? "its file could not be loaded"));
      // Not setTimeout(), because tests replace it.
      if (!worker.isInPlace)
        AbortSignal.timeout(PATIENCE).onabort = () => reject(new Error(`it did not start within ${PATIENCE / 1000} s`));
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
 * Wraps a script URL for pages whose policy requires Trusted Types. Such a policy can allow the name "polystore-wasm".
 * @param {string} url
 */
function trusted(url) {
  try {
    const { trustedTypes } = /** @type {any} */ (globalThis);
    policy ??= trustedTypes?.createPolicy("polystore-wasm", { createScriptURL: (/** @type {string} */ url) => url });
  } catch {
    // The page's policy does not allow this name. If it requires Trusted Types, no worker can be started.
  }
  return policy ? policy.createScriptURL(url) : url;
}

/**
 * Makes the error that a worker reported.
 * @param {Failure} failure
 */
export function errorOf({ code, message, cause, isUnavailable }) {
  const options = cause && { cause: Object.assign(new Error(cause.message), { name: cause.name }) };
  return Object.assign(new PolystoreError(code, message, options), { isUnavailable });
}
