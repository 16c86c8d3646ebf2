/**
 * Returns the error for a change that was repeated after its answer was lost, and was refused then: the first attempt may have changed what
 * the second one compares, so nobody can tell whether it was made.
 * @param {string} server
 */
export function lostAnswerError(server) {
  return new Error(
    `the connection was lost before ${server} answered, and the change may have been made or not. Read the values before you try again`,
  );
}
