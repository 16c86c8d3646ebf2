// What one server of Redis and a cluster have in common: the commands, and what their replies mean.

import { quotaError, show } from "../../support/errors.js";
import { decodeValue, parseValue } from "../../support/record.js";
import { isPut } from "../../support/commits.js";
import { boundsOf } from "../../support/range.js";

/** Keys that a SCAN looks at, at most as many of which are on one page; and keys to an MGET. */
export const SCAN_COUNT = 1000;

/** @typedef {import("../../core/client.js").Commit} Commit */

/**
 * Makes commits: ARGV says of each how many keys it expects something of and how many it changes, and then what; KEYS are
 * those keys. An expectation is "=" and a text, or "!" for nothing; a change is "-", to remove, or "+" and a text with its life
 * in milliseconds, or "" for ever. Returns 1 for each commit that was made, and 0 for the others.
 */
const COMMIT = `
  local key, argument, outcomes, removed = 0, 0, {}, {}
  local function nextKey() key = key + 1 return KEYS[key] end
  local function nextArgument() argument = argument + 1 return ARGV[argument] end
  local function textAt(name) return redis.call("TYPE", name).ok == "string" and redis.call("GET", name) end
  while argument < #ARGV do
    local expectations, changes, isExpected = tonumber(nextArgument()), tonumber(nextArgument()), true
    for i = 1, expectations do
      local text, expected = textAt(nextKey()), nextArgument()
      if (text and "=" .. text or "!") ~= expected then isExpected = false end
    end
    for i = 1, changes do
      local name, change = nextKey(), nextArgument()
      local life = change ~= "-" and nextArgument()
      if not isExpected then
      elseif change == "-" then removed[#removed + 1] = name
      elseif life == "" then redis.call("SET", name, string.sub(change, 2))
      else redis.call("SET", name, string.sub(change, 2), "PX", life) end
    end
    outcomes[#outcomes + 1] = isExpected and 1 or 0
  end
  for i = 1, #removed, ${SCAN_COUNT} do
    redis.call("UNLINK", unpack(removed, i, math.min(i + ${SCAN_COUNT - 1}, #removed)))
  end
  return outcomes`;

/**
 * What `EVAL` needs to make commits, each of them as a whole or not at all.
 * @param {readonly Commit[]} commits
 * @param {number} now
 * @returns {{ script: string, keys: string[], args: string[] }}
 */
export function commitScript(commits, now) {
  const keys = commits.flatMap(({ expected, changes }) => [...expected, ...changes].map(({ id }) => id));
  const args = commits.flatMap(({ expected, changes }) => [
    String(expected.length),
    String(changes.length),
    ...expected.map(({ found }) => (found === null ? "!" : `=${found.version}`)),
    ...changes.flatMap((change) => {
      if (!isPut(change)) return ["-"];
      const [text, , life = ""] = setArguments(change.value, change.expires, now);
      return [`+${text}`, life];
    }),
  ]);
  return { script: COMMIT, keys, args };
}

/**
 * What follows `SET` and the key.
 * @param {unknown} value
 * @param {number | null} expires
 * @param {number} now
 * @returns {string[]}
 */
export function setArguments(value, expires, now) {
  const life = expires === null ? [] : ["PX", String(Math.max(1, expires - now))];
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
 * A record whose version is its text. A page of values goes without, which would keep both: none of them has expired, so none is
 * removed.
 * @param {string | null} text
 * @param {string} id
 * @param {import("../../core/client.js").Wanted} [wanted] Of a listing.
 */
export function toRecord(text, id, wanted) {
  if (text === null) return undefined;
  const value = wanted === "keys" ? parseValue(text) : decodeValue(text, id);
  return wanted === undefined || wanted === "keys" ? { expires: null, value, version: text } : { expires: null, value };
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
  if (!boundsOf({ prefix })) return; // No key has it.
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
