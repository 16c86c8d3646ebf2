/** @typedef {Promise<unknown>} Settled A promise that never rejects. */

/** How many calls are under way at most: each takes a connection. */
const MOST_AT_ONCE = 32;

/**
 * The order of calls over connections that overtake one another: those on one key take place as they were made, where a write
 * is among them; those on other keys do not wait for them.
 */
export class Order {
  /** What was called on each key, as long as it is under way. @type {Map<string, { written: Settled, read: Settled | null }>} */
  #lanes = new Map();
  /** The last call on all keys. @type {Settled} */
  #written = Promise.resolve();
  #free = MOST_AT_ONCE;
  /** @type {(() => void)[]} */
  #waiting = [];

  /**
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  read(id, call) {
    const lane = this.#laneOf(id);
    const result = lane.written.then(() => this.bound(call));
    this.#keep(id, { written: lane.written, read: lane.read ? both(lane.read, result) : settled(result) });
    return result;
  }

  /**
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  write(id, call) {
    const lane = this.#laneOf(id);
    const result = (lane.read ?? lane.written).then(() => this.bound(call));
    this.#keep(id, { written: settled(result), read: null });
    return result;
  }

  /**
   * A call that reads all keys.
   * @template Result
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  readAll(call) {
    const written = [...this.#lanes.values()].map((lane) => lane.written);
    return Promise.all([this.#written, ...written]).then(call);
  }

  /**
   * A call that writes all keys: later ones wait for it.
   * @template Result
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  writeAll(call) {
    const before = [...this.#lanes.values()].map((lane) => lane.read ?? lane.written);
    const result = Promise.all([this.#written, ...before]).then(call);
    this.#written = settled(result);
    this.#lanes.clear();
    return result;
  }

  /**
   * Makes a call as soon as there are not too many under way.
   * @template Result
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  async bound(call) {
    if (this.#free > 0) --this.#free;
    else await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else ++this.#free;
    }
  }

  /** @param {string} id */
  #laneOf(id) {
    return this.#lanes.get(id) ?? { written: this.#written, read: null };
  }

  /**
   * @param {string} id
   * @param {{ written: Settled, read: Settled | null }} lane
   */
  #keep(id, lane) {
    this.#lanes.set(id, lane);
    (lane.read ?? lane.written).then(() => {
      if (this.#lanes.get(id) === lane) this.#lanes.delete(id);
    });
  }
}

const nothing = () => {};

/** @param {Promise<unknown>} result @returns {Settled} */
function settled(result) {
  return result.then(nothing, nothing);
}

/**
 * @param {Settled} first
 * @param {Promise<unknown>} second
 * @returns {Settled}
 */
function both(first, second) {
  return settled(second).then(() => first);
}
