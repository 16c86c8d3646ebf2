/** `open` returns this if no file has the name. */
export const MISSING = -3;
