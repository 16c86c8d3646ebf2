// The main job, on real data: the countries of the world, cached for an hour, found again by region and after a restart.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import kv from "polystore-wasm";

/** @typedef {import("world-countries").Country} Country */

/**
 * What came of it. Times are in milliseconds, of one run and nothing warmed up.
 * @typedef {object} Outcome
 * @property {[region: string, count: number][]} regions The most countries first.
 * @property {Country[]} europe Listed through the prefix, in the order in which they were written.
 * @property {number} timeLeft Until the first country expires, in milliseconds.
 * @property {number} lived How long an entry was there that had 50 ms to live.
 * @property {number} size Of a country, on average, in characters of JSON.
 * @property {{ write: number, list: number, restart: number }} took
 */

export const countriesFile = createRequire(import.meta.url).resolve("world-countries/countries.json");

/** @returns {Promise<Country[]>} */
export async function readCountries() {
  return JSON.parse(await readFile(countriesFile, "utf8"));
}

/**
 * @param {Country[]} countries
 * @returns {Promise<Outcome>} Rejects if anything is not as it was written.
 */
export async function cacheCountries(countries) {
  /** @type {Map<string, import("polystore-wasm").StoredRecord<Country>>} */
  const map = new Map();
  const store = kv(map).expires("1h");

  const writing = await timed(() => Promise.all(countries.map((country) => store.set(keyOf(country), country))));
  const listing = await timed(() => store.prefix("europe:").values());
  assert.deepEqual(
    listing.result,
    countries.filter(({ region }) => region === "Europe"),
  );

  // What a restart leaves: the data. The store is made anew and knows nothing else.
  const restarting = await timed(() => kv(map).entries());
  assert.deepEqual(
    restarting.result,
    countries.map((country) => [keyOf(country), country]),
  );

  // The Map is ours, and what lies in it is documented, so nobody has to be asked when an entry ends.
  const timeLeft = Math.min(...[...map.values()].map(({ expires }) => Number(expires))) - Date.now();
  assert(timeLeft > 3_590_000 && timeLeft <= 3_600_000, `An hour after now is in ${timeLeft} ms`);

  return {
    regions: countByRegion(restarting.result.map(([, country]) => country)),
    europe: listing.result,
    timeLeft,
    lived: await lifeOf(store.prefix("brief:"), "50 ms"),
    size: JSON.stringify(countries).length / countries.length,
    took: { write: writing.took, list: listing.took, restart: restarting.took },
  };
}

/** @param {Country} country */
function keyOf({ region, cca2 }) {
  return `${region.toLowerCase()}:${cca2}`;
}

/**
 * @param {Country[]} countries
 * @returns {[region: string, count: number][]}
 */
function countByRegion(countries) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { region } of countries) counts.set(region, (counts.get(region) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/**
 * How long an entry is there, in milliseconds.
 * @param {import("polystore-wasm").Store} store
 * @param {string} expires
 */
async function lifeOf(store, expires) {
  const { took } = await timed(async () => {
    await store.set("entry", true, { expires });
    while (await store.has("entry")) await sleep(1);
  });
  assert(took > 45 && took < 5_000, `An entry for ${expires} was there for ${took} ms`);
  return took;
}

/**
 * @template T
 * @param {() => Promise<T>} work
 */
async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { result, took: performance.now() - start };
}
