import { Host } from "./host.js";

/** What a page says to its worker, and hears from it. @typedef {Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror"> & { isInPlace?: boolean }} WorkerLike */

/**
 * What serves in place of a worker where none can be started: in service workers, in most shared workers, and on pages whose
 * policy forbids workers. It has the log only as long as no page's worker asks for it.
 * @returns {WorkerLike}
 */
export function startInPlace() {
  // As between a page and its worker: later, in order, and apart from what is done to the object meanwhile.
  const later = Promise.resolve();
  const host = new Host(false, (report) => {
    later.then(() => worker.onmessage?.(/** @type {any} */ ({ data: report })));
  });
  /** @type {any} */
  const worker = {
    isInPlace: true,
    onmessage: null,
    postMessage(/** @type {any} */ order) {
      const copy = typeof order === "object" ? { ...order } : order;
      later.then(() => host.hear(copy));
    },
    terminate: () => host.end(),
  };
  return worker;
}
