/**
 * Runs something, and tells which promises were rejected meanwhile without anybody listening.
 * @param {() => Promise<void>} run
 * @returns {Promise<unknown[]>} The reasons.
 */
export async function unheard(run) {
  /** @type {unknown[]} */
  const reasons = [];
  const later = () => new Promise((resolve) => setTimeout(resolve, 20));
  if (typeof addEventListener === "function") {
    const listen = (/** @type {PromiseRejectionEvent} */ event) => {
      event.preventDefault();
      reasons.push(event.reason);
    };
    addEventListener("unhandledrejection", listen);
    await run().then(later);
    removeEventListener("unhandledrejection", listen);
  } else {
    const { process } = /** @type {any} */ (globalThis);
    const listen = (/** @type {unknown} */ reason) => reasons.push(reason);
    process.on("unhandledRejection", listen);
    await run().then(later);
    process.off("unhandledRejection", listen);
  }
  return reasons;
}
