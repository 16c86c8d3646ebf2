import { PolystoreError, sentence } from "../errors.js";

/**
 * Starts a page's worker: from its file beside this one, which is where it is as the package has it, and where some bundlers put
 * it; else from a text, which a page's policy may forbid.
 * @param {{ name: string, session: number }} begin
 * @returns {Promise<Worker>} It runs, and has its lock.
 * @throws {PolystoreError} ERR_UNSUPPORTED
 */
export async function startWorker(begin) {
  try {
    return await started(new Worker(new URL("../engine/opfs_worker.js", import.meta.url)), begin);
  } catch {
    const { default: text } = await import("./opfs_worker_text.js");
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      return await started(new Worker(url), begin);
    } catch (error) {
      throw unavailable(/** @type {Error} */ (error).message); // A policy may make the constructor throw.
    } finally {
      URL.revokeObjectURL(url);
    }
  }
}

/**
 * @param {Worker} worker
 * @param {{ name: string, session: number }} begin
 * @returns {Promise<Worker>}
 */
function started(worker, begin) {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve(worker);
    worker.onerror = ({ message }) => {
      worker.terminate();
      reject(new Error(message ?? "it was not loaded"));
    };
    worker.postMessage({ begin });
  });
}

/** @param {string} reason */
function unavailable(reason) {
  const error = new PolystoreError("ERR_UNSUPPORTED", `The worker could not be started: ${sentence(reason)}`);
  return Object.assign(error, { isUnavailable: true });
}
