import { sleep } from "./real_timers.js";

/** The pauses between two attempts, in milliseconds: each is twice as long as the one before, half a second in all. */
const FIRST_PAUSE = 8;
const MAX_PAUSE = 256;

/**
 * Repeats an action that fails for a reason that may pass, for up to half a second.
 * @template Result
 * @param {(error: unknown) => boolean} mayPass
 * @param {() => Result | Promise<Result>} action
 */
export async function retryIf(mayPass, action) {
  for (let pause = FIRST_PAUSE; ; pause *= 2) {
    try {
      return await action();
    } catch (error) {
      if (!mayPass(error) || pause > MAX_PAUSE) throw error;
      await sleep(pause);
    }
  }
}
