/**
 * A message to others about a change: a hint about a key (one of hint.js), with the expiry of a record that was put; or the prefix of
 * records that were all removed.
 * @typedef {[id: string, hint: number, expires?: number | null] | [prefix: string]} Told
 */

/**
 * Hands over what others tell of their changes.
 * @param {readonly Told[]} told
 * @param {import("../core/client.js").WatchListener} listener
 */
export function hear(told, listener) {
  for (const [id, hint, expires] of told)
    if (hint === undefined) listener.cleared(id);
    else listener.changed(id, hint, expires);
}
