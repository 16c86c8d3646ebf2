import { clearTimeout, setTimeout } from "./real_timers.js";

const { nextTick } = globalThis.process;

/** The time that an answer may take once process.nextTick() is real again, in milliseconds. */
const PATIENCE = 1000;
const POLL = 50;

/**
 * Watches process.nextTick(), which a test may replace, as sinon and Jest do by default. Node's sockets depend on it. A request to a
 * server that is sent meanwhile may therefore never be answered, not even after process.nextTick() is real again.
 * @type {{ areFake: () => boolean, whenReal: (act: (message: string) => void) => () => void } | null} Null on platforms other than Node.
 */
export const ticks = {
  areFake: () => globalThis.process.nextTick !== nextTick,

  /**
   * Calls `act` with an error message after process.nextTick() has been real again for a while. The returned function cancels
   * that.
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
  'the call was made while process.nextTick() was fake, and Node\'s sockets depend on it; the call may still take effect. Leave it real: useFakeTimers({ doNotFake: ["nextTick"] })';
