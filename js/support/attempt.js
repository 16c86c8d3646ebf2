/**
 * Runs an action now. The returned function then returns its result or throws its error.
 * @template Result
 * @param {() => Result} action
 * @returns {() => Result}
 */
export function attempt(action) {
  try {
    const result = action();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
