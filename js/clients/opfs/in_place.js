import { Host } from "./host.js";

/** The part of a Worker that a page uses. @typedef {Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror"> & { isInPlace?: boolean }} WorkerLike */

/**
 * Starts a replacement for a worker in contexts that cannot start one: service workers, most shared workers, and pages whose
 * Content-Security-Policy forbids workers. It hands the log over as soon as a page's worker asks for it.
 * @returns {WorkerLike}
 */
export function startInPlace() {
  // Messages behave as between a page and its worker: they arrive later, in order, and as copies.
  const later = Promise.resolve();
  const host = new Host(false, (status) => {
    later.then(() => worker.onmessage?.(/** @type {any} */ ({ data: status })));
  });
  /** @type {any} */
  const worker = {
    isInPlace: true,
    onmessage: null,
    postMessage(/** @type {any} */ message) {
      const copy = typeof message === "object" ? { ...message } : message;
      later.then(() => host.receive(copy));
    },
    terminate: () => host.end(),
  };
  return worker;
}
