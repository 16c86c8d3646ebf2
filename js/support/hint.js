// What is said about a key to its watchers. If several hints wait, the largest counts.

/** Only the expiry has changed. */
export const TOUCHED = 0;
/** The record may have changed. */
export const MAYBE = 1;
/** What was there, if anything, was removed. */
export const REMOVED = 2;
/** A record was put. */
export const PUT = 3;
