/**
 * Whether two values are the same as JSON sees them: the same types, the same own fields in any order, arrays in order.
 * A field named `__proto__` is a field, and a prototype of its own makes an object another one.
 * @param {unknown} left
 * @param {unknown} right
 * @returns {boolean}
 */
export function same(left, right) {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return Object.is(left, right);
  }
  if (Array.isArray(left) || Array.isArray(right)) return sameArray(left, right);
  if (!isPlain(left) || !isPlain(right)) return left === right;
  const names = Reflect.ownKeys(left);
  return (
    names.length === Reflect.ownKeys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && same(field(left, name), field(right, name)))
  );
}

/**
 * Whether two arrays have the same elements, each as often, in any order.
 * @param {unknown} left
 * @param {unknown} right
 * @returns {boolean}
 */
export function sameElements(left, right) {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  const rest = [...right];
  return left.every((element) => {
    const at = rest.findIndex((other) => same(element, other));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

/**
 * A value as a message shows it, on one line and not too long.
 * @param {unknown} value
 * @returns {string}
 */
export function show(value) {
  const text = JSON.stringify(value, (_, member) =>
    ["bigint", "function", "symbol", "undefined"].includes(typeof member) || Number.isNaN(member)
      ? `<${typeof member} ${String(member)}>`
      : member,
  );
  return text.length > 400 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}

/**
 * @param {object} left
 * @param {object} right
 */
function sameArray(left, right) {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  return left.every((element, i) => same(element, right[i]));
}

/** @param {object} object */
function isPlain(object) {
  const prototype = Object.getPrototypeOf(object);
  // Also an object of another window: whose prototype is the last one.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * @param {object} object
 * @param {PropertyKey} name
 */
function field(object, name) {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}
