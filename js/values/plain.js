import { kind, PolystoreTypeError, show } from "../support/errors.js";

// A deeper value may contain a cycle. It is left to the slow path, which detects cycles.
const PLAUSIBLE_DEPTH = 100;
/** The maximum number of nested arrays and objects. The C++ library has the same limit, for writing and for reading. */
const MAX_NESTING = 1000;

/** Thrown by `copyPlain`. `copyValue` then looks for the reason with its path, which the fast path does not keep. */
const NOT_PLAIN = Symbol("not plain");

/**
 * Makes the same copy of a value as JSON would, but faster. Throws NOT_PLAIN if JSON might lose something.
 * @param {any} value
 * @param {number} depth
 * @returns {any}
 */
function copyPlain(value, depth) {
  if (isCopied(value)) return value;
  if (value === 0) return 0; // JSON does not have -0.
  if (typeof value !== "object" || depth === PLAUSIBLE_DEPTH) throw NOT_PLAIN;
  if (Array.isArray(value)) return copyArray(value, depth);
  if (!isPlainObject(value)) throw NOT_PLAIN;
  return copyObject(value, depth);
}

/**
 * Tells whether a value needs no copy.
 * @param {any} value
 */
function isCopied(value) {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  return typeof value === "number" && Number.isFinite(value) && value !== 0;
}

/**
 * @param {any[]} array
 * @param {number} depth
 */
function copyArray(array, depth) {
  const copy = new Array(array.length);
  for (let i = 0; i < array.length; ++i) {
    const member = array[i];
    copy[i] = isCopied(member) ? member : member === undefined ? null : copyPlain(member, depth + 1);
  }
  return copy;
}

/**
 * @param {Record<string, any>} object
 * @param {number} depth
 */
function copyObject(object, depth) {
  // V8 copies all members at once, twice as fast as one by one. Members named by a symbol, which JSON ignores, are copied as well:
  // looking for them would double the time.
  const copy = { ...object };
  let isComplete = true;
  for (const key in copy) {
    const member = copy[key];
    // V8 knows the answer of hasOwnProperty.call() from the loop; Object.hasOwn() would cost a call.
    if (isCopied(member) || !Object.prototype.hasOwnProperty.call(copy, key)) continue;
    if (member === undefined) isComplete = false;
    else copy[key] = copyPlain(member, depth + 1); // This is right for an own "__proto__", too.
  }
  // JSON leaves out undefined members. The copy is made anew, because `delete` would make it slow to use.
  return isComplete ? copy : Object.fromEntries(Object.entries(copy).filter(([, member]) => member !== undefined));
}

/**
 * Tells whether an object was made by a literal, JSON or Object.create(null), in this realm or another.
 * @param {object} value
 */
function isPlainObject(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Returns what toJSON() of a value returns, or undefined if it has no toJSON().
 * @param {any} value
 * @returns {any}
 */
const formOf = (value) => (typeof value?.toJSON === "function" ? value.toJSON("") : undefined);

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null;

/**
 * Tells whether an object is stored by its own members. An instance of a class is, if the toJSON() of a member returns an object:
 * such an instance is meant for JSON, for example the session of Express.
 * @param {any} value
 */
function isPlain(value) {
  return (
    Array.isArray(value) || isPlainObject(value) || Object.values(value).some((member) => isObject(formOf(member)))
  );
}

/**
 * Finds the reason why a value cannot be stored. The path is built on the way back from the reason, so that valid members cost
 * little.
 * @param {any} value
 * @param {Set<object>} ancestors
 * @param {boolean} [isForm] True inside the result of a toJSON(). There, a Date may become a text, as in JSON.
 * @returns {string | undefined} The path and the reason, or undefined if the value can be stored.
 * @throws {RangeError} if the value is nested too deeply, because the path would fill pages.
 */
function findReason(value, ancestors, isForm = false) {
  if (isCopied(value) || value === 0 || value === undefined) return undefined;
  if (typeof value === "number") return ` is ${value}`;
  if (typeof value !== "object") return ` is a ${typeof value}`;
  if (ancestors.has(value)) return " is a cycle: it contains itself";
  const form = formOf(value) ?? value;
  if (!isObject(form) && isForm) return findReason(form, ancestors);
  // An object whose toJSON() returns a text, such as a Date, would come back as that text.
  if (!isObject(form) || (form === value && !isPlain(value))) return ` is ${kind(value)}`;
  if (ancestors.size === MAX_NESTING) throw new RangeError();
  ancestors.add(value);
  for (const key of Object.keys(form)) {
    const reason = findReason(form[key], ancestors, isForm || form !== value);
    if (reason === undefined) continue;
    return (Array.isArray(form) ? `[${key}]` : /^[\w$]+$/.test(key) ? `.${key}` : `[${show(key)}]`) + reason;
  }
  ancestors.delete(value);
  return undefined;
}

/**
 * Copies a value that is to be stored.
 * @param {unknown} value
 * @returns {any} The value that JSON.parse(JSON.stringify(value)) would return.
 * @throws {PolystoreTypeError} ERR_VALUE with the path to what JSON cannot hold.
 */
export function copyValue(value) {
  if (typeof value === "string") return value;
  try {
    return copyPlain(value, 0);
  } catch (error) {
    if (error !== NOT_PLAIN) throw unreadable(error);
  }
  let reason;
  try {
    reason = findReason(value, new Set());
    if (reason === undefined) return JSON.parse(JSON.stringify(value)); // It is deep, or has a toJSON().
  } catch (error) {
    if (!(error instanceof RangeError)) throw unreadable(error);
    throw new PolystoreTypeError("ERR_VALUE", "value is nested too deeply: 1,000 levels are the most.");
  }
  const message = `value${reason}, which JSON cannot hold. Store a string, a finite number, a boolean, a plain object or an array; convert a Date with toISOString().`;
  throw new PolystoreTypeError("ERR_VALUE", message);
}

/**
 * Returns the error for a value whose getter or proxy threw.
 * @param {unknown} error
 */
function unreadable(error) {
  const message = "value could not be read: one of its members threw. See the error's cause.";
  return new PolystoreTypeError("ERR_VALUE", message, { cause: error });
}

/**
 * Copies a stored value that the user could otherwise change through another reference.
 * @param {any} value
 * @returns {any}
 */
export function copyStored(value) {
  if (typeof value !== "object") return value;
  try {
    return copyValue(value);
  } catch {
    return value; // Other code stored it, so any value is possible, and it is returned as it is.
  }
}
