import { kind, PolystoreTypeError, show } from "../support/errors.js";

// Deeper than this a value may be a cycle; it is then taken the slow way, which can tell.
const PLAUSIBLE_DEPTH = 100;
/** Levels of arrays and objects. The C++ library has the same bound, and so has what it reads. */
const DEEPEST_NESTING = 1000;

/** Thrown by `copyPlain`; `copyValue` then looks for the reason, which needs a path that the fast way does not keep. */
const NOT_PLAIN = Symbol("not plain");

/**
 * A copy of a value, the same as JSON would make and faster; throws NOT_PLAIN where JSON would lose something.
 * @param {any} value
 * @param {number} depth
 * @returns {any}
 */
function copyPlain(value, depth) {
  if (isCopied(value)) return value;
  if (value === 0) return 0; // JSON knows no -0
  if (typeof value !== "object" || depth === PLAUSIBLE_DEPTH) throw NOT_PLAIN;
  if (Array.isArray(value)) return copyArray(value, depth);
  if (!isPlainObject(value)) throw NOT_PLAIN;
  return copyObject(value, depth);
}

/**
 * Whether a value is its own copy.
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
  // V8 copies all members in one go, in half the time of adding one after the other. Members named by a symbol, which
  // JSON does not see, come along: to look for them would cost as much as all the rest.
  const copy = { ...object };
  let isComplete = true;
  for (const key in copy) {
    const member = copy[key];
    // In this form V8 knows the answer from the loop; Object.hasOwn() would be a call.
    if (isCopied(member) || !Object.prototype.hasOwnProperty.call(copy, key)) continue;
    if (member === undefined) isComplete = false;
    else copy[key] = copyPlain(member, depth + 1); // Also if that is an own "__proto__".
  }
  // JSON leaves out what has no value. Made anew, for `delete` would make the copy slow to use.
  return isComplete ? copy : Object.fromEntries(Object.entries(copy).filter(([, member]) => member !== undefined));
}

/** @param {object} value An object of this realm or of another, made by a literal, JSON, or Object.create(null). */
function isPlainObject(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The plain form that an object gives of itself, in the way that JSON asks for it; undefined where it has no way.
 * @param {any} value
 * @returns {any}
 */
const formOf = (value) => (typeof value?.toJSON === "function" ? value.toJSON("") : undefined);

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null;

/**
 * Whether an object is stored by its own members. An instance is, if one of them says its plain form: then it is meant for
 * JSON, like the session of Express.
 * @param {any} value
 */
function isPlain(value) {
  return (
    Array.isArray(value) || isPlainObject(value) || Object.values(value).some((member) => isObject(formOf(member)))
  );
}

/**
 * Why a value cannot be stored, behind the path to the reason; undefined when it can. The path is put together on the way
 * back from the reason, so that what is sound costs nothing but a look at it.
 * @param {any} value
 * @param {Set<object>} ancestors
 * @param {boolean} [isSaid] Whether it is part of what a toJSON() gave: who reads that back expects a text for a Date in it.
 * @returns {string | undefined}
 * @throws {RangeError} where it is nested too deeply: the path would fill pages.
 */
function findReason(value, ancestors, isSaid = false) {
  if (isCopied(value) || value === 0 || value === undefined) return undefined;
  if (typeof value === "number") return ` is ${value}`;
  if (typeof value !== "object") return ` is a ${typeof value}`;
  if (ancestors.has(value)) return " is a cycle: it contains itself";
  const form = formOf(value) ?? value;
  if (!isObject(form) && isSaid) return findReason(form, ancestors);
  // What gives a text, like a Date, would come back as something else.
  if (!isObject(form) || (form === value && !isPlain(value))) return ` is ${kind(value)}`;
  if (ancestors.size === DEEPEST_NESTING) throw new RangeError();
  ancestors.add(value);
  for (const key of Object.keys(form)) {
    const reason = findReason(form[key], ancestors, isSaid || form !== value);
    if (reason === undefined) continue;
    return (Array.isArray(form) ? `[${key}]` : /^[\w$]+$/.test(key) ? `.${key}` : `[${show(key)}]`) + reason;
  }
  ancestors.delete(value);
  return undefined;
}

/**
 * A copy of a value to be stored.
 * @param {unknown} value
 * @returns {any} The same as JSON would give back.
 * @throws {PolystoreTypeError} ERR_VALUE, with the path of what JSON cannot hold.
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
    if (reason === undefined) return JSON.parse(JSON.stringify(value)); // Deep, or with a form of its own.
  } catch (error) {
    if (!(error instanceof RangeError)) throw unreadable(error);
    throw new PolystoreTypeError("ERR_VALUE", "value is nested too deeply: 1,000 levels are the most.");
  }
  const message = `value${reason}, which JSON cannot hold. Store a string, a finite number, a boolean, a plain object or an array; turn a Date into its toISOString() first.`;
  throw new PolystoreTypeError("ERR_VALUE", message);
}

/**
 * What a getter of the user's own threw, or a proxy.
 * @param {unknown} error
 */
function unreadable(error) {
  const message = "value could not be read: one of its members threw. See the error's cause.";
  return new PolystoreTypeError("ERR_VALUE", message, { cause: error });
}

/**
 * A copy of a value that was read from an object which the user can reach.
 * @param {any} value
 * @returns {any}
 */
export function copyStored(value) {
  if (typeof value !== "object") return value;
  try {
    return copyValue(value);
  } catch {
    return value; // Put there by other code: what it is, is its own affair.
  }
}
