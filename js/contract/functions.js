// The functions that a case may give to update(). The C++ runner has the same.

/** @type {Record<string, (argument: any) => (value: any) => any>} */
const FUNCTIONS = {
  /** Appends the argument to an array, which is empty if there is no value. */
  append: (element) => (array) => [...(array ?? []), element],
  /** Adds 1 to the member that the argument names, of an object; without either, the count begins at 0. */
  increment: (member) => (object) => ({ ...object, [member]: (object?.[member] ?? 0) + 1 }),
  /** Returns the argument. */
  return: (result) => () => structuredClone(result),
  /** Returns the value, or the values, as they are. */
  same: () => (value) => value,
  /** Exchanges two values. */
  swap:
    () =>
    ([one, other]) => [other, one],
  /** Throws an error with the argument as its message. */
  throw: (message) => () => {
    throw new Error(message);
  },
};

/** @param {string} name */
export const isFunction = (name) => Object.hasOwn(FUNCTIONS, name);

/**
 * @param {string} name
 * @param {any} argument
 */
export const functionOf = (name, argument) => FUNCTIONS[name](argument);
