import { Telling } from "./telling.js";
import { hear } from "./told.js";

/** @typedef {import("./told.js").Told} Told */

/** Tells the other pages and workers of this origin of changes, and hears theirs. */
export class Broadcast extends Telling {
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** What is told of at the end of this tick, in one message. @type {Told[]} */
  #told = [];

  /** @param {string} name The storage. */
  constructor(name) {
    super();
    if (typeof BroadcastChannel !== "function") return;
    this.#channel = new BroadcastChannel(`polystore-wasm changes of ${name}`);
    /** @type {any} */ (this.#channel).unref?.(); // In Node, a channel would keep the process alive.
  }

  /**
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   */
  tell(id, hint, expires) {
    this.#add([id, hint, expires]);
  }

  /** @param {string} prefix */
  tellAll(prefix) {
    this.#add([prefix]);
  }

  /**
   * @param {import("../core/client.js").WatchListener} listener
   * @returns {import("../core/client.js").Watch}
   */
  watch(listener) {
    const channel = this.#channel;
    if (!channel) return { reach: "process", close() {} };
    const receive = (/** @type {{ data: Told[] }} */ { data }) => hear(data, listener);
    channel.addEventListener("message", receive);
    return { reach: "origin", close: () => channel.removeEventListener("message", receive) };
  }

  close() {
    this.#send();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** @param {Told} told */
  #add(told) {
    if (this.#channel && this.#told.push(told) === 1) queueMicrotask(() => this.#send());
  }

  #send() {
    const told = this.#told;
    this.#told = [];
    if (told.length > 0) this.#channel?.postMessage(told);
  }
}
