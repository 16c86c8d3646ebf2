// The methods that change values depending on what is there. index.d.ts documents them.

import { PolystoreTypeError, show } from "../support/errors.js";
import { isPromise } from "../support/promise.js";
import { copyValue } from "../values/plain.js";
import { versionOf } from "../values/version.js";
import { attempt } from "../support/attempt.js";

/** @typedef {import("../core/change.js").Changing} Changing */
/** @typedef {import("../core/change.js").Part} Part */

/**
 * One key of a call: `prefix` and `life` are undefined where the defaults of the store apply.
 * @typedef {{ key: string, prefix?: string, life?: number, isUnread?: boolean, keepsExpiry?: boolean }} Key
 */
/**
 * A call: which keys it concerns, and how to choose their new values.
 * @typedef {object} Call
 * @property {string} name The method, for messages.
 * @property {Key[]} keys
 * @property {(parts: Part[]) => any[]} choose As in `Changing`.
 * @property {(task: Changing) => any} result
 * @property {boolean} [renews]
 */

/**
 * What a method needs. The modules come from the bundle of the store, because they are parts of a core that must exist once.
 * @typedef {object} Host
 * @property {(call: Call) => any} perform
 * @property {(bounds: import("./options.js").Bounds) => any} list Lists the entries in a range.
 * @property {boolean | undefined} hasPlaces As in the traits of a client.
 * @property {import("./store.js").Store} store
 * @property {typeof import("../core/task.js").Thrown} Thrown
 * @property {typeof import("./options.js").keyText} keyText
 * @property {typeof import("./options.js").readBounds} readBounds
 * @property {typeof import("./options.js").readOptions} readOptions
 * @property {typeof import("./options.js").seconds} seconds
 */

export const changes = {
  /**
   * @param {Host} host
   * @param {string} key
   */
  entry: async (host, key) => {
    const text = host.keyText(key);
    /** @type {string | null} */
    let version;
    return host.perform({
      name: "entry",
      keys: [{ key: text }],
      choose: ([{ value }]) => {
        version = currentVersion(value);
        return [];
      },
      result: ({ parts: [{ value, found }] }) =>
        value === null ? null : { key: text, value, expires: found?.expires ?? null, version },
    });
  },

  /**
   * @param {Host} host
   * @param {string | string[]} key
   * @param {(values: any) => any} change
   * @param {import("./options.js").Options} [options]
   */
  update: async (host, key, change, options) => {
    if (typeof change !== "function")
      throw new PolystoreTypeError(
        "ERR_VALUE",
        `The second argument of update() is ${show(change)}; it must be a function that returns the new value.`,
      );
    const isMany = Array.isArray(key);
    const { keys, renews } = read(host, isMany ? key : [key], options);
    requireDistinct(keys);
    return host.perform({
      name: "update",
      keys,
      renews,
      choose: (parts) => {
        const values = parts.map(({ value }) => value);
        let chosen;
        try {
          chosen = change(isMany ? values : values[0]);
        } catch (error) {
          throw new host.Thrown(error);
        }
        const all = isMany ? chosen : [chosen];
        // The user hears that promises are refused. If one of them rejects too, nobody else handles that, and it would end the process.
        for (const value of [chosen].flat(isMany ? 1 : 0)) if (isPromise(value)) value.then(undefined, () => {});
        if (!Array.isArray(all) || all.length !== keys.length)
          throw wrongResult(chosen, `an array of ${keys.length} values`);
        return all.map((value) => {
          if (value === undefined || isPromise(value))
            throw wrongResult(value, "the new value, or null to delete the key");
          return copyValue(value);
        });
      },
      result: ({ values }) => (isMany ? values : values[0]),
    });
  },

  /**
   * @param {Host} host
   * @param {string} key
   * @param {number} by
   * @param {import("./options.js").Options} [options]
   */
  incr: async (host, key, by = 1, options) => {
    const { keys, renews } = read(host, [key], options);
    if (!Number.isFinite(by))
      throw new PolystoreTypeError(
        "ERR_VALUE",
        `incr() was called with ${show(by)}; it must be a finite number. Options come after it: incr(key, 1, options).`,
      );
    let result = 0;
    return host.perform({
      name: "incr",
      keys,
      renews,
      choose: ([{ value }]) => [(result = sum(value ?? 0, by, keys[0].key))],
      result: () => result, // Also if the expiry is over at once, so that the sum is not stored.
    });
  },

  /**
   * @param {Host} host
   * @param {string} key
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  setIfAbsent: async (host, key, value, options) => {
    const { keys } = read(host, [key], options);
    if (value === undefined || value === null)
      throw new PolystoreTypeError(
        "ERR_VALUE",
        `setIfAbsent(${show(key)}) was called with ${show(value)}; it must be a value.`,
      );
    const copy = copyNow(value);
    return host.perform({
      name: "setIfAbsent",
      keys,
      choose: ([{ value }]) => [value === null ? copy() : undefined],
      result: ({ parts: [{ value }], values: [kept] }) => value === null && kept !== null,
    });
  },

  /**
   * @param {Host} host
   * @param {string} key
   * @param {string | null} version
   * @param {unknown} value
   * @param {import("./options.js").Options} [options]
   */
  cas: async (host, key, version, value, options) => {
    const { keys, renews } = read(host, [key], options);
    requireVersion(version);
    if (value === undefined)
      throw new PolystoreTypeError(
        "ERR_VALUE",
        `cas(${show(key)}) was called without a value. Pass a value, or null to delete the key.`,
      );
    const copy = copyNow(value);
    let isMade = false;
    return host.perform({
      name: "cas",
      keys,
      renews,
      choose: ([{ value: old }]) => {
        isMade = version === currentVersion(old);
        return isMade ? [copy()] : [];
      },
      result: () => isMade,
    });
  },

  /**
   * @param {Host} host
   * @param {string} key
   */
  take: async (host, key) =>
    host.perform({
      name: "take",
      keys: [{ key: host.keyText(key) }],
      choose: () => [null],
      result: ({ parts: [{ value }] }) => value,
    }),

  /**
   * @param {Host} host
   * @param {string} key
   * @param {number | string | null} [expires]
   */
  touch: async (host, key, expires) =>
    host.perform({
      name: "touch",
      keys: [{ key: host.keyText(key), life: expires === undefined ? undefined : host.seconds(expires) }],
      renews: true,
      choose: ([{ value }]) => [value ?? undefined],
      result: ({ parts: [{ value }] }) => value !== null,
    }),

  /**
   * @param {Host} host
   * @param {any[][]} writes
   */
  batch: async (host, writes) => {
    const { keys, checks, values } = readBatch(host, writes);
    let holds = true;
    return host.perform({
      name: "batch",
      keys,
      renews: true,
      choose: (parts) => {
        holds = parts.every(({ value }, i) => checks[i].every((version) => version === currentVersion(value)));
        return holds ? values.map((value) => value?.()) : [];
      },
      result: () => holds,
    });
  },
};

/**
 * @param {Host} host
 * @param {unknown[]} keys
 * @param {import("./options.js").Options} [options]
 * @returns {{ keys: Key[], renews: boolean | undefined }}
 */
function read({ keyText, readOptions }, keys, options) {
  const { prefix, expires: life, renew: renews } = readOptions(options, "change");
  return { keys: keys.map((key) => ({ key: keyText(key), prefix, life })), renews };
}

/**
 * Checks and copies a value now, because the user may change it before it is stored.
 * @param {unknown} value
 * @returns {() => any} Returns what is stored, or throws ERR_VALUE.
 */
const copyNow = (value) => attempt(() => copyValue(value));

/**
 * Checks the writes of a batch, and gathers those of each key.
 * @param {Host} host
 * @param {any} writes
 */
function readBatch({ keyText, readOptions }, writes) {
  if (!Array.isArray(writes)) throw wrongBatch(`was called with ${show(writes)}; it must be an array of`);
  /** @type {Map<string, { key: Key, checks: (string | null)[], value?: () => any }>} */
  const parts = new Map();
  for (const write of writes) {
    const [kind, key, argument, options] = Array.isArray(write) ? write : [];
    if (!Object.hasOwn(LENGTHS, kind))
      throw wrongBatch(`has the write ${show(typeof kind === "string" ? kind : write)}; the writes are`);
    const text = keyText(key);
    if (kind === "set" && write.length === 2)
      throw new PolystoreTypeError(
        "ERR_VALUE",
        `batch() sets ${show(text)} without a value. Pass a value, or null to delete the key.`,
      );
    if (write.length > LENGTHS[kind])
      throw wrongBatch(`has a ${show(kind)} with ${write.length} members; the writes are`);
    const { prefix, expires: life, renew } = readOptions(kind === "set" ? options : undefined, "change");
    const name = JSON.stringify([prefix ?? null, text]);
    const part = parts.get(name) ?? { key: { key: text, prefix, isUnread: true }, checks: [] };
    parts.set(name, part);
    if (kind === "check") {
      requireVersion(argument);
      part.checks.push(argument);
      part.key.isUnread = false;
    } else {
      part.value = kind === "set" && argument !== undefined && argument !== null ? copyNow(argument) : () => null;
      part.key.life = life;
      part.key.keepsExpiry = renew === false;
      if (renew === false) part.key.isUnread = false;
    }
  }
  const all = [...parts.values()];
  return {
    keys: all.map(({ key }) => key),
    checks: all.map(({ checks }) => checks),
    values: all.map(({ value }) => value),
  };
}

/** The most members that a write of a batch has. @type {Record<string, number>} */
const LENGTHS = { set: 4, del: 2, check: 3 };

/** @param {string} reason */
function wrongBatch(reason) {
  return new PolystoreTypeError(
    "ERR_OPTIONS",
    `batch() ${reason} ["set", key, value, options], ["del", key] and ["check", key, version].`,
  );
}

/** @param {unknown} value The current value, or null if there is none. */
const currentVersion = (value) => (value === null ? null : versionOf(value));

/** @param {unknown} version */
function requireVersion(version) {
  if (typeof version === "string" || version === null) return;
  throw new PolystoreTypeError(
    "ERR_OPTIONS",
    `The version is ${show(version)}; it must be the version of an entry, or null for no value.`,
  );
}

/**
 * @param {unknown} value
 * @param {number} by
 * @param {string} key
 */
function sum(value, by, key) {
  const result = typeof value === "number" ? value + by : NaN;
  if (Math.abs(result) <= Number.MAX_SAFE_INTEGER) return result;
  const reason = typeof value === "number" ? "the sum is too large to be exact" : "incr() needs a number, or no value";
  throw new PolystoreTypeError(
    "ERR_VALUE",
    `incr(${show(key)}) by ${by} failed: the value is ${show(value)}; ${reason}. Nothing was changed.`,
  );
}

/**
 * @param {Key[]} keys
 * @throws {PolystoreTypeError} ERR_KEY if one is there twice, because it could get only one of two new values.
 */
function requireDistinct(keys) {
  const seen = new Set();
  for (const { key } of keys) {
    if (seen.has(key))
      throw new PolystoreTypeError(
        "ERR_KEY",
        `update() was called with the key ${show(key)} twice. Pass each key once.`,
      );
    seen.add(key);
  }
}

/**
 * @param {unknown} value
 * @param {string} expected
 */
function wrongResult(value, expected) {
  const given = isPromise(value) ? "a promise" : show(value);
  const advice = isPromise(value) ? " Compute the value first, and then call update()." : "";
  return new PolystoreTypeError(
    "ERR_VALUE",
    `The function of update() returned ${given}; it must return ${expected}.${advice}`,
  );
}
