// Shared by a single Redis server and a cluster: the commands, and the meaning of their replies.

import { lostAnswerError } from "../../support/lost_answer.js";
import { quotaError, show } from "../../support/errors.js";
import { decodeValue, encodeValue, parseValue } from "../../support/record.js";
import { foundOf, isPut } from "../../support/commits.js";
import { boundsOf } from "../../support/range.js";

/** The number of keys that one SCAN examines, which limits a page, and the number of keys in one MGET. */
export const SCAN_COUNT = 1000;
/** Records to a page of a listing at most: all that a SCAN gives, which may be some more keys than it looks at. */
export const MAX_PAGE = 2 * SCAN_COUNT;

/** @typedef {import("../../core/client.js").Commit} Commit */

/**
 * Makes commits, one after the other. For each commit, ARGV has the number of its keys, and for each key, in the order of KEYS, an
 * expectation and a change. An expectation is "=" and a text, "!" for no record, or "". A change is "-" to remove, "+", the life in
 * milliseconds ("" means for ever, "keep" that the life of the record goes on), ":" and a text, or "". Returns for each commit 1 if it was
 * made, 0 if it was not as expected, or the message of the error with which it failed.
 *
 * Keys are removed last, because a memory that is full refuses only the first SET of a script, and only before anything else is changed:
 * either all SETs fail, or none.
 */
const COMMIT = `
  local first, argument, outcomes, removed, isRemoved = 1, 0, {}, {}, {}
  local function removeAll()
    for i = 1, #removed, ${SCAN_COUNT} do
      redis.call("UNLINK", unpack(removed, i, math.min(i + ${SCAN_COUNT - 1}, #removed)))
    end
    removed, isRemoved = {}, {}
  end
  local function put(name, change)
    local colon = string.find(change, ":", 2, true)
    local life, text = string.sub(change, 2, colon - 1), string.sub(change, colon + 1)
    if life == "" then return redis.pcall("SET", name, text) end
    if life == "keep" then return redis.pcall("SET", name, text, "KEEPTTL") end
    return redis.pcall("SET", name, text, "PX", life)
  end
  while argument < #ARGV do
    local last, outcome = first + tonumber(ARGV[argument + 1]) - 1, 1
    argument = argument + 1
    for i = first, last do
      local name, expected = KEYS[i], ARGV[argument + 1 + 2 * (i - first)]
      if isRemoved[name] then removeAll() end
      if expected ~= "" then
        local found = redis.pcall("GET", name)
        if type(found) == "table" and string.sub(found.err, 1, 9) ~= "WRONGTYPE" then outcome = found.err
        elseif (type(found) == "string" and "=" .. found or "!") ~= expected then outcome = 0 end
      end
    end
    local function changeAt(i) return outcome == 1 and ARGV[argument + 2 + 2 * (i - first)] or "" end
    for i = first, last do
      if string.sub(changeAt(i), 1, 1) == "+" then
        local reply = put(KEYS[i], changeAt(i))
        if reply.err then outcome = reply.err end
      end
    end
    for i = first, last do
      if changeAt(i) == "-" then
        removed[#removed + 1] = KEYS[i]
        isRemoved[KEYS[i]] = true
      end
    end
    outcomes[#outcomes + 1] = outcome
    argument = argument + 2 * (last - first + 1)
    first = last + 1
  end
  removeAll()
  return outcomes`;

/**
 * The keys and arguments of a script that makes one or more commits.
 * @typedef {object} Arguments
 * @property {string[]} keys
 * @property {string[]} args
 * @property {boolean} isRepeatable True if it does no harm to send the script again after calls that were made later: each key that is
 *   changed is compared first.
 */

/**
 * Returns the arguments of COMMIT for a commit.
 * @param {Commit} commit
 * @param {number} now
 * @returns {Arguments}
 */
export function argumentsOf({ expected, changes }, now) {
  /** @type {Map<string, [expectation: string, change: string]>} */
  const parts = new Map();
  for (const expectation of expected) {
    const found = foundOf(expectation);
    parts.set(expectation.id, [found === null ? "!" : `=${found.version ?? encodeValue(found.value)}`, ""]);
  }
  let isRepeatable = true;
  for (const change of changes) {
    const [expectation] = parts.get(change.id) ?? [""];
    isRepeatable &&= expectation !== "";
    parts.set(change.id, [expectation, isPut(change) ? putArgument(change, expected, now) : "-"]);
  }
  return { keys: [...parts.keys()], args: [String(parts.size), ...[...parts.values()].flat()], isRepeatable };
}

/**
 * @param {import("../../core/client.js").Put} change
 * @param {readonly import("../../core/client.js").Expectation[]} expected
 * @param {number} now
 */
function putArgument(change, expected, now) {
  const [text, , life = ""] = setArguments(change.value, change.expires, now);
  return `+${keepsExpiry(change, expected) ? "keep" : life}:${text}`;
}

/**
 * Makes commits by one script. If the connection was lost meanwhile, the client may have sent the script twice: a commit that was refused
 * may have been made before.
 * @param {Scripts} scripts
 * @param {Arguments[]} commits
 * @returns {Promise<import("../../core/client.js").Outcome[]>}
 */
export async function commitAll(scripts, commits) {
  const before = scripts.losses();
  const keys = commits.flatMap(({ keys }) => keys);
  const args = commits.flatMap(({ args }) => args);
  const isRepeatable = commits.every((commit) => commit.isRepeatable);
  const outcomes = await scripts.run(COMMIT, keys, args, isRepeatable);
  const refused = scripts.losses() > before ? { error: lostAnswerError("Redis") } : false;
  return outcomes.map((/** @type {unknown} */ outcome, /** @type {number} */ i) => {
    if (typeof outcome === "string") return { error: setError(commits[i].keys[0], new Error(outcome)) };
    return Number(outcome) === 1 || refused;
  });
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

/** Returns for each key its text, and its life in milliseconds (-1 means for ever). Other types than strings count as absent. */
const READ_WITH_LIFE = `
  local texts, found = redis.call("MGET", unpack(KEYS)), {}
  for i, name in ipairs(KEYS) do
    found[2 * i - 1] = texts[i]
    found[2 * i] = texts[i] and redis.call("PTTL", name) or -2
  end
  return found`;

/**
 * Reads texts with their lives.
 * @param {Scripts} scripts
 * @param {string[]} ids
 * @returns {Promise<WithLife[]>}
 */
export async function readWithLife(scripts, ids) {
  const found = await scripts.run(READ_WITH_LIFE, ids, [], true);
  return ids.map((_, i) => ({ text: found[2 * i], life: Number(found[2 * i + 1]) }));
}

/** @typedef {{ text: string | null, life: number }} WithLife */

/**
 * @param {WithLife} found
 * @param {string} id
 */
export function toRecordWithLife({ text, life }, id) {
  const record = toRecord(text, id);
  if (record && life >= 0) record.expires = Date.now() + life;
  return record;
}

/** Runs scripts. A script that a server was sent once is not sent again: its hash is enough. */
export class Scripts {
  #evaluate;
  /** The hash of each script that a server was sent. @type {Map<string, string>} */
  #hashes = new Map();

  /**
   * @param {(command: "EVAL" | "EVALSHA", script: string, keys: string[], args: string[]) => Promise<any>} evaluate
   * @param {() => number} [losses] How often a connection was lost. Only for a client that then sends unanswered commands again.
   */
  constructor(evaluate, losses = () => 0) {
    this.#evaluate = evaluate;
    this.losses = losses;
  }

  /**
   * @param {string} script
   * @param {string[]} keys
   * @param {string[]} args
   * @param {boolean} isRepeatable True if the script may run after calls that are made later. Only then is its hash sent, because a
   *   server that does not know the hash, for example after a restart, has to be sent the script after all.
   * @returns {Promise<any>}
   */
  async run(script, keys, args, isRepeatable) {
    const hash = this.#hashes.get(script);
    if (hash && isRepeatable) {
      try {
        return await this.#evaluate("EVALSHA", hash, keys, args);
      } catch (error) {
        if (!isReply(error, "NOSCRIPT")) throw error;
      }
    }
    const reply = await this.#evaluate("EVAL", script, keys, args);
    if (!hash) this.#hashes.set(script, await hashOf(script));
    return reply;
  }
}

/**
 * Returns the hash by which Redis knows a script.
 * @param {string} script
 */
async function hashOf(script) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
  return [encodeValue(value), ...life];
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
  // SCAN may return a key twice if the table of keys shrinks meanwhile. A listing removes duplicates. An iteration does not, because
  // remembering all keys would take more memory than a page.
  const seen = wanted === "stream" ? null : new Set();
  for (let cursor = /** @type {string | null} */ ("0"); cursor !== null;) {
    const [next, found] = await scanOnce(call, keyPrefix, prefix, cursor, SCAN_COUNT);
    const ids = found.filter((id) => !seen?.has(id));
    ids.forEach((id) => seen?.add(id));
    if (ids.length > 0) yield ids;
    cursor = next;
  }
}

/**
 * Sends one SCAN.
 * @param {(name: string, ...args: string[]) => Promise<any>} call Sends a command to the server.
 * @param {string} keyPrefix As in scan().
 * @param {string} prefix
 * @param {string} cursor "0" to begin.
 * @param {number} count The number of keys that it examines, more or less.
 * @returns {Promise<[cursor: string | null, ids: string[]]>} The next cursor, or null if this was the last part; and the keys, each once.
 */
export async function scanOnce(call, keyPrefix, prefix, cursor, count) {
  if (!boundsOf({ prefix })) return [null, []]; // No key has this prefix.
  const start = keyPrefix + prefix;
  // Drop a lone surrogate at the end of the prefix: a key continues with the other half of the pair.
  const text = start.replace(/\p{Surrogate}$/u, "");
  const pattern = `${text.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
  const [next, found] = await call("SCAN", cursor, "MATCH", pattern, "COUNT", String(count));
  const ids = /** @type {string[]} */ ([...new Set(found)])
    .filter((key) => key.startsWith(start)) // Redis-compatible servers may interpret a pattern differently.
    .map((key) => key.slice(keyPrefix.length));
  return [String(next) === "0" ? null : String(next), ids];
}
