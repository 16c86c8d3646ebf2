// Shared by a single Redis server and a cluster: the commands, and the meaning of their replies.

import { quotaError, show } from "../../support/errors.js";
import { decodeValue, parseValue } from "../../support/record.js";
import { isPut, lastChanges } from "../../support/commits.js";
import { boundsOf } from "../../support/range.js";

/** The number of keys that one SCAN examines, which limits a page, and the number of keys in one MGET. */
export const SCAN_COUNT = 1000;
/** Records to a page of a listing at most: all that a SCAN gives, which may be some more keys than it looks at. */
export const MAX_PAGE = 2 * SCAN_COUNT;

/** @typedef {import("../../core/client.js").Commit} Commit */

/**
 * Makes commits. For each commit, ARGV has the number of expectations, the number of changes, then the expectations and the changes;
 * KEYS has their keys in the same order. An expectation is "=" and a text, or "!" for no record. A change is "-" to remove, or "+" and a
 * text, followed by its life in milliseconds ("" means for ever, "keep" that the life of the record goes on). Returns 1 for each commit that was made, and 0 for the others.
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
      elseif life == "keep" then redis.call("SET", name, string.sub(change, 2), "KEEPTTL")
      else redis.call("SET", name, string.sub(change, 2), "PX", life) end
    end
    outcomes[#outcomes + 1] = isExpected and 1 or 0
  end
  for i = 1, #removed, ${SCAN_COUNT} do
    redis.call("UNLINK", unpack(removed, i, math.min(i + ${SCAN_COUNT - 1}, #removed)))
  end
  return outcomes`;

/**
 * Returns the arguments of `EVAL` for commits, each of which is made as a whole or not at all.
 * @param {readonly Commit[]} commits
 * @param {number} now
 * @returns {{ script: string, keys: string[], args: string[] }}
 */
export function commitScript(commits, now) {
  const all = commits.map((commit) => ({ expected: commit.expected, changes: lastChanges(commit) }));
  const keys = all.flatMap(({ expected, changes }) => [...expected, ...changes].map(({ id }) => id));
  const args = all.flatMap(({ expected, changes }) => [
    String(expected.length),
    String(changes.length),
    ...expected.map(({ found }) => (found === null ? "!" : `=${found.version ?? JSON.stringify(found.value)}`)),
    ...changes.flatMap((change) => {
      if (!isPut(change)) return ["-"];
      const [text, , life = ""] = setArguments(change.value, change.expires, now);
      return [`+${text}`, keepsExpiry(change, expected) ? "keep" : life];
    }),
  ]);
  return { script: COMMIT, keys, args };
}

/**
 * Tells whether a change keeps the expiry of the record that it replaces. The server then keeps it, even if another writer has renewed
 * it since it was read.
 * @param {import("../../core/client.js").Put} change
 * @param {readonly import("../../core/client.js").Expectation[]} expected
 */
function keepsExpiry({ id, expires }, expected) {
  return (
    expires !== null && expected.some((expectation) => expectation.id === id && expectation.found?.expires === expires)
  );
}

/** Returns the text at a key, and its life in milliseconds (-1 means for ever). Other types than strings count as absent. */
export const READ_WITH_LIFE = `
  if redis.call("TYPE", KEYS[1]).ok ~= "string" then return {} end
  return { redis.call("GET", KEYS[1]), redis.call("PTTL", KEYS[1]) }`;

/**
 * Decodes the reply of READ_WITH_LIFE.
 * @param {[text?: string, life?: number | string]} reply
 * @param {string} id
 */
export function toRecordWithLife([text, life], id) {
  const record = toRecord(text ?? null, id);
  if (record && Number(life) >= 0) record.expires = Date.now() + Number(life);
  return record;
}

/**
 * Returns the arguments of `SET` after the key.
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
 * Converts the error of a SET: ERR_QUOTA if Redis is out of memory.
 * @param {string} id
 * @param {unknown} error
 */
export function setError(id, error) {
  return isReply(error, "OOM") ? quotaError(`REDIS set(${show(id)})`, { cause: error }) : error;
}

/**
 * True if an error is a reply of the server whose first word is `kind`.
 * @param {unknown} error
 * @param {string} kind
 */
export function isReply(error, kind) {
  return error instanceof Error && error.message.startsWith(`${kind} `);
}

/**
 * Decodes a record; its version is its text. The records of a page with values get no version, to save memory: Redis removes expired
 * records itself, so nothing removes these.
 * @param {string | null} text
 * @param {string} id
 * @param {import("../../core/client.js").Wanted} [wanted] What a listing needs; undefined if this is not a listing.
 * @returns {import("../../support/record.js").StoredRecord | undefined}
 */
export function toRecord(text, id, wanted) {
  if (text === null) return undefined;
  const value = wanted === "keys" ? parseValue(text) : decodeValue(text, id);
  return wanted === undefined || wanted === "keys" ? { expires: null, value, version: text } : { expires: null, value };
}

/**
 * Handles the error of a GET: undefined (no record) if other code stored something there that is not a string.
 * @param {unknown} error
 * @throws Any other error.
 */
export function nothingIfNoText(error) {
  if (isReply(error, "WRONGTYPE")) return undefined;
  throw error;
}

/**
 * Yields the keys on a server that have a prefix, page by page.
 * @param {(name: string, ...args: string[]) => Promise<any>} call Sends a command to that server.
 * @param {string} keyPrefix The client's own prefix: the keys on the server start with it, the yielded keys do not.
 * @param {string} prefix
 * @param {import("../../core/client.js").Wanted} wanted
 */
export async function* scan(call, keyPrefix, prefix, wanted) {
  if (!boundsOf({ prefix })) return; // No key has this prefix.
  const start = keyPrefix + prefix;
  // Drop a lone surrogate at the end of the prefix: a key continues with the other half of the pair.
  const text = start.replace(/\p{Surrogate}$/u, "");
  const pattern = `${text.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
  // SCAN may return a key twice if the table of keys shrinks meanwhile. A listing removes duplicates. An iteration does not, because
  // remembering all keys would take more memory than a page.
  const seen = wanted === "stream" ? null : new Set();
  let cursor = "0";
  do {
    const [next, found] = await call("SCAN", cursor, "MATCH", pattern, "COUNT", String(SCAN_COUNT));
    const ids = /** @type {string[]} */ ([...new Set(found)])
      .filter((key) => key.startsWith(start)) // Redis-compatible servers may interpret a pattern differently.
      .map((key) => key.slice(keyPrefix.length))
      .filter((id) => !seen?.has(id));
    ids.forEach((id) => seen?.add(id));
    if (ids.length > 0) yield ids;
    cursor = String(next);
  } while (cursor !== "0");
}
