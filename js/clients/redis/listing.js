// Listings of a Redis server or of the servers of a cluster. SCAN gives keys in the order of Redis' table, which is no order.

import { PolystoreTypeError, show } from "../../support/errors.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../../support/page_bytes.js";
import { isPrefixOnly, selectIds } from "../../support/range.js";
import { isRecord, parseValue } from "../../support/record.js";
import { MAX_PAGE, SCAN_COUNT, scan, scanOnce } from "./commands.js";

/**
 * Where a listing reads.
 * @typedef {object} Target
 * @property {() => Promise<Server[]>} servers
 * @property {string} keyPrefix The client's own prefix.
 * @property {(ids: string[], wanted: Wanted) => Promise<unknown[]>} find Reads records.
 */
/** A function that sends a command to one server. @typedef {(name: string, ...args: string[]) => Promise<any>} Server */
/** @typedef {import("../../core/client.js").Wanted} Wanted */
/** @typedef {import("../../core/client.js").Range} Range */
/** @typedef {import("../../core/client.js").Page} Page */
/** The server and its cursor (null behind its last key), and keys, without the prefix, that were scanned but not listed. @typedef {[server: string, cursor: string | null, rest: string[]]} Position */

/**
 * Lists the records of a range. Within bounds, in reverse or with a limit all keys with the prefix are read and sorted, but only the
 * values in the range are read: that takes less time than keys(), and some 20 MB of memory for 100,000 keys.
 * @param {Target} target
 * @param {Range} range
 * @param {Wanted} wanted
 * @returns {AsyncGenerator<Page, void>}
 */
export async function* list(target, range, wanted) {
  if (range.place) return yield* listFrom(target, range, range.place);
  const isOrdered = !isPrefixOnly(range);
  /** @type {string[]} */
  const all = [];
  const state = { length: FIRST_LENGTH };
  for (const server of await target.servers()) {
    for await (const ids of scan(server, target.keyPrefix, range.prefix, isOrdered ? "keys" : wanted)) {
      if (isOrdered) all.push(...ids);
      else yield* pagesOf(target, ids, wanted, state);
    }
  }
  if (isOrdered) yield* pagesOf(target, selectIds(all, range), wanted, state);
}

/**
 * Reads the records of some keys, in pages of a bounded size.
 * @param {Target} target
 * @param {string[]} all
 * @param {Wanted} wanted
 * @param {{ length: number }} state The number of keys in the next page, which depends on the sizes of the records before.
 * @returns {AsyncGenerator<Page, void>}
 */
async function* pagesOf(target, all, wanted, state) {
  for (let i = 0; i < all.length;) {
    const ids = all.slice(i, (i += state.length));
    const found = await target.find(ids, wanted);
    yield { ids, found };
    state.length = nextLength(state.length, ids.length, sizeOfAll(found), MAX_PAGE);
  }
}

/**
 * Lists records from a place on, in the order of Redis' table, without reading the others. A record that is there all the time is
 * listed; one may be listed twice if the table shrinks meanwhile.
 * @param {Target} target
 * @param {Range} range
 * @param {import("../../core/client.js").Place} place
 * @returns {AsyncGenerator<Page, void>}
 */
async function* listFrom({ servers, keyPrefix, find }, { prefix, limit = Infinity }, place) {
  const named = await namesOf(await servers());
  let [name, cursor, rest] = place.after === null ? [named[0].name, "0", []] : positionIn(place.after);
  rest = rest.map((key) => prefix + key);
  let i = named.findIndex((server) => server.name === name);
  if (i < 0) throw lostServerError();
  const seen = new Set();
  let count = Math.min(Math.max(limit, 10), SCAN_COUNT);
  for (let listed = 0; listed < limit;) {
    if (rest.length === 0) {
      if (cursor === null && i === named.length - 1) break;
      if (cursor === null) [i, cursor] = [i + 1, "0"];
      [cursor, rest] = await scanOnce(named[i].server, keyPrefix, prefix, cursor, count);
      // Where few keys have the prefix, a larger step takes fewer round trips. What is left of a step has to fit into the cursor.
      count = Math.min(rest.length === 0 ? 2 * count : Math.max(limit, 10), SCAN_COUNT);
    }
    const ids = rest.splice(0, limit - listed).filter((id) => !seen.has(id));
    const records = await find(ids, "entries");
    const page = { ids: ids.filter((_, i) => isRecord(records[i])), found: records.filter(isRecord) };
    ids.forEach((id) => seen.add(id));
    listed += page.ids.length;
    const isEnd = rest.length === 0 && cursor === null && i === named.length - 1;
    const keys = rest.map((id) => id.slice(prefix.length));
    place.after = isEnd ? null : JSON.stringify([named[i].name, cursor, keys]);
    if (page.ids.length > 0) yield page;
  }
}

/**
 * Names the servers, each by an identifier that it keeps. One server needs no name.
 * @param {Server[]} servers
 * @returns {Promise<{ name: string, server: Server }[]>}
 */
async function namesOf(servers) {
  if (servers.length === 1) return [{ name: "", server: servers[0] }];
  const named = await Promise.all(
    servers.map(async (server) => ({ name: String(await server("CLUSTER", "MYID")), server })),
  );
  return named.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * Reads a position from a cursor, which somebody may have forged.
 * @param {string} text
 * @returns {Position}
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function positionIn(text) {
  const position = parseValue(text);
  if (!isPosition(position)) {
    const message = `cursor has ${show(text)} in it, which is not a place in a Redis server; it must be the cursor of an earlier page.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  return position;
}

/** @param {any} position */
function isPosition(position) {
  if (!Array.isArray(position)) return false;
  const [name, cursor, rest] = position;
  const isCursor = cursor === null || (typeof cursor === "string" && /^\d+$/.test(cursor));
  return typeof name === "string" && isCursor && Array.isArray(rest) && rest.every((key) => typeof key === "string");
}

function lostServerError() {
  const message =
    "The cursor is of a server that has left the Redis cluster, or has become a replica. Begin with the first page again.";
  return new PolystoreTypeError("ERR_OPTIONS", message);
}
