/**
 * @typedef {"ERR_CLIENT" | "ERR_CLOSED" | "ERR_CONFLICT" | "ERR_CORRUPT" | "ERR_EXPIRES" | "ERR_KEY" | "ERR_OPTIONS" | "ERR_QUOTA" | "ERR_UNSUPPORTED" | "ERR_VALUE" | "ERR_WASM"} Code
 */

// The registered symbol is the same in every copy of this package on a page.
const BRAND = Symbol.for("polystore-wasm.error");

/** Every error that this package throws or rejects with. The codes are stable; the messages may change. */
export class PolystoreError extends Error {
  /**
   * @param {Code} code
   * @param {string} message Says what happened, with which value, and what to do.
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

/** The error of a wrong argument: it is a TypeError, and an instance of PolystoreError as well. */
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
  Object.defineProperty(type, "name", name); // Minifying renames the classes.
  Object.defineProperty(type.prototype, "name", name);
  Object.defineProperty(type.prototype, BRAND, { value: true });
}

/**
 * Describes a value for a message, briefly and on one line. It never throws.
 * @param {unknown} value
 * @returns {string}
 */
export function show(value) {
  if (typeof value === "string") {
    const text = value.replace(/(:\/\/).*@/s, "$1…@"); // A URL may have a password, with any characters in it.
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  }
  if (typeof value === "bigint") return `${value}n`;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
  try {
    if (typeof value === "function") return value.name ? `the function ${value.name}` : "a function";
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const names = Object.keys(value).slice(0, 5).join(", ");
    return kind(value) + (names && ` with the properties ${names}`);
  } catch {
    return "an object that cannot be inspected"; // A proxy may throw on every access.
  }
}

/**
 * Names the class of an object, with its article.
 * @param {object} value
 * @returns {string} For example "a Date" or "an object".
 */
export function kind(value) {
  const name = Object.getPrototypeOf(value)?.constructor?.name || "Object";
  return name === "Object" ? "an object" : /^([AEIO]|U(?!RL))/.test(name) ? `an ${name}` : `a ${name}`;
}

/**
 * Makes a PolystoreError of an error that a client threw.
 * @param {string} what The client and its call.
 * @param {unknown} error
 * @returns {PolystoreError}
 */
export function clientError(what, error) {
  if (error instanceof PolystoreError) return error;
  const { name, message } = /** @type {Partial<Error>} */ (error ?? {});
  // Older Firefox has its own name for the error of a full localStorage.
  if (name === "QuotaExceededError" || name === "NS_ERROR_DOM_QUOTA_REACHED") {
    return quotaError(what, { cause: error });
  }
  const reason = sentence(message || show(error));
  return new PolystoreError("ERR_CLIENT", `${what} failed: ${reason}`, { cause: error });
}

/**
 * Ends the text of a foreign error with a full stop, unless it ends with a punctuation mark.
 * @param {string} text
 */
export function sentence(text) {
  return /[!.?]$/.test(text) ? text : `${text}.`;
}

/**
 * @param {string} what The client and its call.
 * @param {ErrorOptions} [options]
 */
export function quotaError(what, options) {
  const message = `${what} failed: the storage is full, or the record is too large for it. The stored data is unchanged. Call prune() or delete records to make room.`;
  return new PolystoreError("ERR_QUOTA", message, options);
}
