import { clearTimeout, setTimeout } from "./real_timers.js";

const { nextTick } = globalThis.process;

/** How long an answer may take once process.nextTick() is real again, in milliseconds. */
const PATIENCE = 1000;
const POLL = 50;

/**
 * About process.nextTick(), which a test may have replaced, as sinon and Jest do by default. Node's sockets wait for it, so that
 * what is asked of a server meanwhile may never be answered, not even when it is real again.
 * @type {{ areFake: () => boolean, whenReal: (act: (message: string) => void) => () => void } | null} Null on other platforms.
 */
export const ticks = {
  areFake: () => globalThis.process.nextTick !== nextTick,

  /**
   * Calls `act`, with what is to be said, when process.nextTick() has been real again for a while; what is returned keeps it from
   * being called.
   */
  whenReal(act) {
    const poll = () => {
      timer = ticks?.areFake() ? setTimeout(poll, POLL) : setTimeout(act, PATIENCE, STOPPED);
    };
    let timer = setTimeout(poll, POLL);
    return () => clearTimeout(timer);
  },
};

const STOPPED =
  'it was called while process.nextTick() was fake, and Node\'s sockets wait for that; it may be done. Have it left real: useFakeTimers({ doNotFake: ["nextTick"] })';
