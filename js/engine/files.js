/** What `open` gives where there is no file. */
export const MISSING = -3;
