import { clearTimeout, setTimeout } from "./real_timers.js";

/** The longest delay of the timer, in milliseconds. A device may sleep meanwhile, and its timers then stand still. */
const MAX_DELAY = 60_000;

/** Calls a function when the time of a key has come. One timer serves all keys; it keeps no process alive. */
export class Schedule {
  /** In the order of their times, the latest first. @type {{ time: number, id: string }[]} */
  #entries = [];
  #onDue;
  /** @type {any} */
  #timer;
  /** When the timer fires. */
  #wakes = Infinity;

  /** @param {(id: string) => void} onDue */
  constructor(onDue) {
    this.#onDue = onDue;
  }

  /**
   * @param {string} id
   * @param {number} time In milliseconds since the epoch.
   */
  add(id, time) {
    this.#entries.splice(this.#placeOf(id, time), 0, { time, id });
    this.#arm();
  }

  /**
   * @param {string} id
   * @param {number} time The one that was passed to add().
   */
  remove(id, time) {
    const place = this.#placeOf(id, time);
    if (this.#entries[place]?.id === id) this.#entries.splice(place, 1);
  }

  end() {
    this.#entries = [];
    clearTimeout(this.#timer);
  }

  /**
   * @param {string} id
   * @param {number} time
   */
  #placeOf(id, time) {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry.time > time || (entry.time === time && entry.id < id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #arm() {
    const next = this.#entries.at(-1);
    if (next === undefined || next.time >= this.#wakes) return;
    clearTimeout(this.#timer);
    this.#wakes = next.time;
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(next.time - Date.now(), 0), MAX_DELAY));
    this.#timer.unref?.();
  }

  #wake() {
    this.#wakes = Infinity;
    for (let next = this.#entries.at(-1); next && next.time <= Date.now(); next = this.#entries.at(-1)) {
      this.#entries.pop();
      this.#onDue(next.id);
    }
    this.#arm();
  }
}
