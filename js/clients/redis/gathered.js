import { SCAN_COUNT, isReply } from "./commands.js";

/** The maximum size of the requests that are sent together, in characters. */
const MAX_SIZE = 1024 * 1024;
const resolved = Promise.resolve();

/** @template Result @typedef {{ resolve: (result: Result) => void, reject: (error: unknown) => void }} Settle */

/**
 * Requests of one kind that share a message if they are made in one tick. A request that is made while no other is under way is sent at
 * once, because most callers await one answer before the next call; gathering would make each such call 50 % slower.
 * @template Request, Result
 */
export class Gathered {
  #send;
  #sendOne;
  #sizeOf;
  /** @type {Request[]} */
  #requests = [];
  /** @type {Settle<Result>[]} */
  #calls = [];
  #size = 0;
  /** True while a request that was sent alone is under way. */
  #isAlone = false;

  /**
   * @param {(requests: Request[]) => Promise<Result[]>} send Sends a message with the requests.
   * @param {(request: Request) => Promise<Result>} [sendOne] Sends a message with one request.
   * @param {(request: Request) => number} [sizeOf] Returns the size of a request.
   */
  constructor(send, sendOne = (request) => send([request]).then(([result]) => result), sizeOf = () => 0) {
    this.#send = send;
    this.#sendOne = sendOne;
    this.#sizeOf = sizeOf;
  }

  /**
   * @param {Request} request
   * @returns {Promise<Result>}
   */
  add(request) {
    return this.#isAlone || this.#requests.length > 0 ? this.#gather(request) : this.#sendAlone(request);
  }

  /** Sends the requests that are gathered, before a call that must not overtake them. */
  async send() {
    const requests = this.#requests;
    if (requests.length === 0) return;
    const calls = this.#calls;
    this.#requests = [];
    this.#calls = [];
    this.#size = 0;
    try {
      const results = await this.#send(requests);
      calls.forEach(({ resolve }, i) => resolve(results[i]));
    } catch (error) {
      // A user without permission for one of the keys may still use the others. Nothing was done yet.
      const split = requests.length > 1 && isReply(error, "NOPERM");
      calls.forEach(({ resolve, reject }, i) => {
        if (split) this.#sendOne(requests[i]).then(resolve, reject);
        else reject(error);
      });
    }
  }

  /** @param {Request} request */
  async #sendAlone(request) {
    this.#isAlone = true;
    try {
      return await this.#sendOne(request);
    } finally {
      this.#isAlone = false;
    }
  }

  /**
   * @param {Request} request
   * @returns {Promise<Result>}
   */
  #gather(request) {
    return new Promise((resolve, reject) => {
      this.#size += this.#sizeOf(request);
      this.#calls.push({ resolve, reject });
      const count = this.#requests.push(request);
      if (count === 1) resolved.then(() => this.send());
      if (count === SCAN_COUNT || this.#size > MAX_SIZE) this.send();
    });
  }
}
