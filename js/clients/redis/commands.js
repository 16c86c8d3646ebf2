// What one server of Redis and a cluster have in common: the commands, and what their replies mean.

import { quotaError, show } from "../../support/errors.js";
import { decodeValue } from "../../support/record.js";
import { rangeOfPrefix } from "../../support/text_key.js";

/** Keys that a SCAN looks at, at most as many of which are on one page; and keys to an MGET. */
export const SCAN_COUNT = 1000;

/**
 * What follows `SET` and the key.
 * @param {unknown} value
 * @param {number | null} expires In seconds.
 */
export function setArguments(value, expires) {
  const life = expires === null ? [] : ["PX", String(Math.max(1, Math.round(expires * 1000)))];
  return [JSON.stringify(value), ...life];
}

/**
 * @param {string} id
 * @param {unknown} error Of a SET.
 */
export function setError(id, error) {
  return isReply(error, "OOM") ? quotaError(`REDIS set(${show(id)})`, { cause: error }) : error;
}

/**
 * Whether an error is a reply of the server, of a kind that its first word tells.
 * @param {unknown} error
 * @param {string} kind
 */
export function isReply(error, kind) {
  return error instanceof Error && error.message.startsWith(`${kind} `);
}

/**
 * @param {string | null} text
 * @param {string} id
 * @param {(text: string, id: string) => any} [decode] `parseValue` where the value is not used.
 */
export function toRecord(text, id, decode = decodeValue) {
  return text === null ? undefined : { expires: null, value: decode(text, id) };
}

/**
 * What a GET found that failed: nothing, if other code keeps no text there.
 * @param {unknown} error
 * @throws Any other error.
 */
export function nothingIfNoText(error) {
  if (isReply(error, "WRONGTYPE")) return undefined;
  throw error;
}

/**
 * The keys on a server that begin with a text, a page at a time.
 * @param {(name: string, ...args: string[]) => Promise<any>} call Sends a command to that server.
 * @param {string} keyPrefix What the keys on the server begin with, and ours lack.
 * @param {string} prefix
 * @param {import("../../core/client.js").Wanted} wanted
 */
export async function* scan(call, keyPrefix, prefix, wanted) {
  if (!rangeOfPrefix(prefix)) return; // No key has it.
  const start = keyPrefix + prefix;
  // Without half of a surrogate pair at its end: the key goes on with the other half.
  const text = start.replace(/\p{Surrogate}$/u, "");
  const pattern = `${text.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
  // SCAN gives a key twice when the table of keys shrinks meanwhile. An iteration cannot remember all keys: it takes no
  // more memory than a page does.
  const seen = wanted === "stream" ? null : new Set();
  let cursor = "0";
  do {
    const [next, found] = await call("SCAN", cursor, "MATCH", pattern, "COUNT", String(SCAN_COUNT));
    const ids = /** @type {string[]} */ ([...new Set(found)])
      .filter((key) => key.startsWith(start)) // Servers that are like Redis may think otherwise of a pattern.
      .map((key) => key.slice(keyPrefix.length))
      .filter((id) => !seen?.has(id));
    ids.forEach((id) => seen?.add(id));
    if (ids.length > 0) yield ids;
    cursor = String(next);
  } while (cursor !== "0");
}
