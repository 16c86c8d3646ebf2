import { clearTimeout, setTimeout } from "../support/real_timers.js";

/**
 * Prunes a store again and again until it is closed, which calls `life.onClose`. The timer does not keep a process alive. A prune that
 * fails is not reported, because no call of the user waits for it; the next one tries again.
 * @param {import("./store.js").Store} store
 * @param {import("./store.js").Life} life
 * @param {number} period In milliseconds, from the end of one prune to the start of the next.
 */
export function pruneEvery(store, life, period) {
  /** @type {any} */
  let timer;
  const wait = () => {
    if (life.source.connection?.closed) return;
    timer = setTimeout(() => store.prune().then(wait, wait), period);
    timer.unref?.();
  };
  life.onClose = () => clearTimeout(timer);
  wait();
}
