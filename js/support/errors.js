/**
 * @typedef {"ERR_CLIENT" | "ERR_CLOSED" | "ERR_CORRUPT" | "ERR_EXPIRES" | "ERR_KEY" | "ERR_OPTIONS" | "ERR_QUOTA" | "ERR_UNSUPPORTED" | "ERR_VALUE" | "ERR_WASM"} Code
 */

// The registered symbol is the same in every copy of this package on a page.
const BRAND = Symbol.for("polystore-wasm.error");

/** What every rejection and every throw of this package is. `code` never changes; the message may. */
export class PolystoreError extends Error {
  /**
   * @param {Code} code
   * @param {string} message What is wrong, with what value, and what to do about it.
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }

  /**
   * @param {unknown} error
   * @returns {error is PolystoreError}
   */
  static [Symbol.hasInstance](error) {
    return typeof error === "object" && error !== null && BRAND in error;
  }
}

/** A wrong argument: a TypeError for those who look for one, and a PolystoreError all the same. */
export class PolystoreTypeError extends TypeError {
  /**
   * @param {Code} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
}

for (const type of [PolystoreError, PolystoreTypeError]) {
  const name = { value: "PolystoreError", writable: true, configurable: true };
  Object.defineProperty(type, "name", name); // Which minifying took from it.
  Object.defineProperty(type.prototype, "name", name);
  Object.defineProperty(type.prototype, BRAND, { value: true });
}

/**
 * A value as a message shows it: short, on one line, and never throwing.
 * @param {unknown} value
 * @returns {string}
 */
export function show(value) {
  if (typeof value === "string") {
    const text = value.replace(/(:\/\/).*@/s, "$1…@"); // A URL may have a password, and whatever is in that.
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  }
  if (typeof value === "bigint") return `${value}n`;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
  try {
    if (typeof value === "function") return value.name ? `the function ${value.name}` : "a function";
    if (Array.isArray(value)) return `an array of ${value.length}`;
    return `${kind(value)} with the properties ${Object.keys(value).slice(0, 5).join(", ") || "(none)"}`;
  } catch {
    return "an object that cannot be looked at"; // A proxy may throw at every touch.
  }
}

/**
 * @param {object} value
 * @returns {string} "a Date", "an object", …
 */
export function kind(value) {
  const name = Object.getPrototypeOf(value)?.constructor?.name || "Object";
  return name === "Object" ? "an object" : /^([AEIO]|U(?!RL))/.test(name) ? `an ${name}` : `a ${name}`;
}

/**
 * What a client threw, as an error of ours.
 * @param {string} what The client and what it was doing.
 * @param {unknown} error
 * @returns {PolystoreError}
 */
export function clientError(what, error) {
  if (error instanceof PolystoreError) return error;
  const { name, message } = /** @type {Partial<Error>} */ (error ?? {});
  // Firefox had a name of its own for a full localStorage before it had the standard one.
  if (name === "QuotaExceededError" || name === "NS_ERROR_DOM_QUOTA_REACHED") {
    return quotaError(what, { cause: error });
  }
  const reason = sentence(message || show(error));
  return new PolystoreError("ERR_CLIENT", `${what} failed: ${reason} See the error's cause.`, { cause: error });
}

/**
 * What somebody else's error says, as the end of a sentence.
 * @param {string} text
 */
export function sentence(text) {
  return /[!.?]$/.test(text) ? text : `${text}.`;
}

/**
 * @param {string} what The client and what it was doing.
 * @param {ErrorOptions} [options]
 */
export function quotaError(what, options) {
  const message = `${what} failed: the storage is full, or the record is too large for it. What was there is unchanged; prune(), or delete something, to make room.`;
  return new PolystoreError("ERR_QUOTA", message, options);
}
