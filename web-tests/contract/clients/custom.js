// Custom clients, one for each shape that a user's own object may have. Each keeps its data in its field `data`.

/** How a client answers: at once, or later. @typedef {<Result>(work: () => Result) => Result | Promise<Result>} Timing */

/** @type {Timing} */
export const atOnce = (work) => work();
/** @type {Timing} */
export const inMicrotask = (work) => Promise.resolve().then(work);
/** @type {Timing} */
export const inTimeout = (work) => new Promise((resolve) => setTimeout(() => resolve(work()), 0));

/** Sees and does everything at the call, and tells of it later, like a server far away. @type {Timing} */
export const farAway = (work) => {
  const result = work();
  return new Promise((resolve) => setTimeout(() => resolve(result), 2));
};

/** What a client that sees to expiry keeps. @typedef {{ value: any, until: number }} Kept */

/** A client without a flag: it keeps records, `{ expires, value }`, and knows nothing of what they mean. */
export class Wrapped {
  /**
   * @param {Timing} [timing]
   * @param {Map<string, any>} [data]
   */
  constructor(timing = atOnce, data = new Map()) {
    this.data = data;
    /** @param {string} id */
    this.get = (id) => timing(() => this.data.get(id));
    /**
     * @param {string} id
     * @param {any} record
     */
    this.set = (id, record) => timing(() => void (record === null ? this.data.delete(id) : this.data.set(id, record)));
    /** @param {string} prefix */
    this.iterate = async function* (prefix) {
      for (const [id, record] of await timing(() => [...this.data])) {
        if (id.startsWith(prefix)) yield [id, record];
      }
    };
  }
}

/** `Wrapped` that can replace a record on the condition that it is the one that was read. */
export class Swapping extends Wrapped {
  /** @param {Timing} [timing] */
  constructor(timing = atOnce) {
    super(timing);
    /**
     * @param {string} id
     * @param {any} expected
     * @param {any} record
     */
    this.swap = (id, expected, record) =>
      timing(() => {
        if (JSON.stringify(this.data.get(id) ?? null) !== JSON.stringify(expected)) return false;
        if (record === null) this.data.delete(id);
        else this.data.set(id, record);
        return true;
      });
  }
}

/** `Wrapped` that writes at once, and reads slowly: what it tells may be past by then. */
export class SlowReader extends Wrapped {
  constructor() {
    super(farAway);
    const { set } = new Wrapped(atOnce, this.data);
    this.set = set;
  }
}

/** The same as `Wrapped`, with methods where it has fields, and a plain generator. */
export class WrappedClass {
  /** @type {Map<string, any>} */
  data = new Map();

  /** @param {string} id */
  get(id) {
    return this.data.get(id);
  }

  /**
   * @param {string} id
   * @param {any} record
   */
  set(id, record) {
    if (record === null) this.data.delete(id);
    else this.data.set(id, record);
  }

  /**
   * @param {string} prefix
   * @returns {Generator<[string, any], void>}
   */
  *iterate(prefix) {
    for (const entry of [...this.data]) {
      if (entry[0].startsWith(prefix)) yield entry;
    }
  }
}

/** `WrappedClass` with all the methods that a client without a flag may have. */
export class WrappedWithAll extends WrappedClass {
  TYPE = "OWN";
  #connected = false;

  async connect() {
    await null;
    this.#connected = true;
  }

  /** @param {string} id */
  get(id) {
    if (!this.#connected) throw new Error("used before connect() was done");
    return super.get(id);
  }

  /** @param {string} id */
  async del(id) {
    this.data.delete(id);
  }

  /**
   * @param {string} prefix
   * @param {any} record
   */
  async add(prefix, record) {
    const id = prefix + makeKey();
    this.data.set(id, record);
    return id;
  }

  /** @param {string} prefix */
  async entries(prefix) {
    return [...super.iterate(prefix)];
  }

  /** @param {string} prefix */
  async clear(prefix) {
    for (const [id] of super.iterate(prefix)) this.data.delete(id);
  }

  async close() {
    this.#connected = false;
  }
}

/** A client that sees to expiry, given as seconds or null in the third argument. */
export class Managing {
  /** @type {Map<string, Kept>} */
  data = new Map();
  /** @param {Timing} [timing] */
  constructor(timing = atOnce) {
    /** @param {string} id */
    this.get = (id) => timing(() => this.alive(id)?.value);
    /**
     * @param {string} id
     * @param {any} value
     * @param {any} expires
     */
    this.set = (id, value, expires) => timing(() => this.keep(id, value, expires));
    /** @param {string} prefix */
    this.iterate = async function* (prefix) {
      for (const id of await timing(() => [...this.data.keys()])) {
        if (id.startsWith(prefix) && this.alive(id)) yield [id, this.alive(id)?.value];
      }
    };
  }

  /** @param {string} id */
  alive(id) {
    const kept = this.data.get(id);
    return kept && kept.until > Date.now() ? kept : undefined;
  }

  /**
   * @param {string} id
   * @param {any} value
   * @param {unknown} expires
   */
  keep(id, value, expires) {
    if (expires !== null && (typeof expires !== "number" || Number.isNaN(expires))) {
      throw new Error(`a client was given the expiry ${String(expires)}`);
    }
    if (value === null || expires === 0) this.data.delete(id);
    else this.data.set(id, { value, until: expires === null ? Infinity : Date.now() + expires * 1000 });
  }
}

export class Raw extends Managing {
  RAW = true;
}

export class HasExpiration extends Managing {
  HAS_EXPIRATION = true;

  /** @param {string} id */
  async has(id) {
    return this.alive(id) !== undefined;
  }

  /** @param {string} id */
  async del(id) {
    this.data.delete(id);
  }
}

/** The generation until 2024: expiry is given as `{ expires }`. */
export class Legacy {
  EXPIRES = true;
  #inner = new Managing();
  data = this.#inner.data;

  /** @param {string} id */
  async get(id) {
    return this.#inner.get(id);
  }

  /**
   * @param {string} id
   * @param {any} value
   * @param {{ expires: number | null }} options
   */
  async set(id, value, options) {
    this.#inner.keep(id, value, options.expires);
  }

  /** @param {string} id */
  has(id) {
    return this.#inner.alive(id) !== undefined;
  }

  /** @param {string} prefix */
  iterate(prefix) {
    return this.#inner.iterate(prefix);
  }
}

/** `Raw` with all the methods that a client may have; it removes what it finds expired. */
export class RawWithAll extends Raw {
  TYPE = "OWN";
  #connected = false;

  async connect() {
    await null;
    this.#connected = true;
  }

  /** @param {string} id */
  alive(id) {
    const kept = super.alive(id);
    if (!kept) this.data.delete(id);
    return kept;
  }

  /** @param {string} id */
  has(id) {
    if (!this.#connected) throw new Error("used before connect() was done");
    return this.alive(id) !== undefined;
  }

  /** @param {string} id */
  del(id) {
    this.data.delete(id);
  }

  /**
   * @param {string} prefix
   * @param {any} value
   * @param {number | null} expires
   */
  add(prefix, value, expires) {
    const key = makeKey();
    this.keep(prefix + key, value, expires);
    return key;
  }

  /** @param {string} prefix */
  keys(prefix) {
    return [...this.data.keys()].filter((id) => id.startsWith(prefix) && this.alive(id));
  }

  /** @param {string} prefix */
  values(prefix) {
    return this.entries(prefix).map(([, value]) => value);
  }

  /**
   * @param {string} prefix
   * @returns {[string, any][]}
   */
  entries(prefix) {
    return this.keys(prefix).map((id) => [id, this.alive(id)?.value]);
  }

  /** @param {string} prefix */
  clear(prefix) {
    for (const id of [...this.data.keys()]) {
      if (id.startsWith(prefix)) this.data.delete(id);
    }
  }

  /** @param {string} prefix */
  prune(prefix) {
    return [...this.data.keys()].filter((id) => id.startsWith(prefix) && !this.alive(id)).length;
  }

  close() {
    this.#connected = false;
  }
}

function makeKey() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 24 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");
}
