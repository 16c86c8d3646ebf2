// A folder of the browser's private file system, in memory: every call can fail, and the power too.

/** What a file holds as programs see it, and as a power failure leaves it. */
class Content {
  seen = new Uint8Array(0);
  synced = new Uint8Array(0);
  isDirty = false;
  isOpen = false;
}

export class FaultyFolder {
  name = "log";
  /** @type {Map<string, Content>} */
  #files = new Map();
  #callsLeft = Infinity;
  #isForGood = false;
  #keepsWrites = false;

  /**
   * Lets the call that comes after so many fail, once or for good. A write that fails has written everything, or nothing.
   * @param {number} calls
   * @param {{ isForGood?: boolean, keepsWrites?: boolean }} [how]
   */
  failAfter(calls, { isForGood = false, keepsWrites = false } = {}) {
    this.#callsLeft = calls;
    this.#isForGood = isForGood;
    this.#keepsWrites = keepsWrites;
  }
  failNoMore() {
    this.#callsLeft = Infinity;
  }
  /** Whether a call failed since `failAfter`. */
  get hasFailed() {
    return this.#callsLeft < 0;
  }

  /** What was not flushed is lost. */
  losePower() {
    for (const content of this.#files.values()) Object.assign(content, { seen: content.synced, isDirty: false });
  }

  /** @param {string} name */
  bytes(name) {
    return this.#content(name).seen;
  }
  /** @param {string} name @param {Uint8Array} bytes */
  put(name, bytes) {
    Object.assign(this.#content(name), { seen: bytes, synced: bytes });
  }

  /** @param {string} name */
  async getFileHandle(name) {
    return { createSyncAccessHandle: async () => this.#open(this.#content(name)) };
  }

  /** @param {string} name */
  #content(name) {
    let content = this.#files.get(name);
    if (!content) this.#files.set(name, (content = new Content()));
    return content;
  }

  #fails() {
    if (this.#callsLeft === Infinity) return false;
    if (this.#callsLeft < 0) return this.#isForGood;
    return this.#callsLeft-- === 0;
  }

  /** @param {Content} content */
  #open(content) {
    if (content.isOpen) throw new Error("Somebody did not close it.");
    content.isOpen = true;
    /** @param {string} call @param {() => void} [beforehand] */
    const mayFail = (call, beforehand = () => {}) => {
      if (!this.#fails()) return;
      beforehand();
      throw new Error(`Injected: ${call}`);
    };
    const change = (/** @type {number} */ size, /** @type {Uint8Array} */ bytes, /** @type {number} */ at) => {
      const changed = new Uint8Array(size);
      changed.set(content.seen.subarray(0, size));
      changed.set(bytes, at);
      Object.assign(content, { seen: changed, isDirty: true });
    };
    return {
      getSize() {
        mayFail("getSize");
        return content.seen.length;
      },
      /** @param {Uint8Array} bytes @param {{ at: number }} options */
      read(bytes, { at }) {
        mayFail("read");
        const found = content.seen.subarray(at, at + bytes.length);
        bytes.set(found);
        return found.length;
      },
      /** @param {Uint8Array} bytes @param {{ at: number }} options */
      write: (bytes, { at }) => {
        const write = () => change(Math.max(content.seen.length, at + bytes.length), bytes, at);
        mayFail("write", () => this.#keepsWrites && write());
        write();
        return bytes.length;
      },
      /** @param {number} size */
      truncate(size) {
        mayFail("truncate");
        change(size, new Uint8Array(0), 0);
        content.synced = content.synced.subarray(0, size); // As it may be, whatever else is not flushed.
      },
      flush() {
        // A system that failed to write something forgets it, and says at the next flush that all is well.
        mayFail("flush", () => (content.isDirty = false));
        if (content.isDirty) content.synced = content.seen;
        content.isDirty = false;
      },
      close() {
        content.isOpen = false;
      },
    };
  }
}
