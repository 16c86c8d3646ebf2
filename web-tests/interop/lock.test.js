// JavaScript and C++ write one File and one Folder at the same time.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import kv from "polystore-wasm";
import { runAcknowledging } from "../support/acknowledging.js";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("interop-lock");

const LANGUAGES = [
  /** @param {string} path @param {string[]} rest @returns {[string, string[]]} */
  (path, rest) => [process.execPath, [fileURLToPath(new URL("writer.js", import.meta.url)), urlOf(path), ...rest]],
  /** @param {string} path @param {string[]} rest @returns {[string, string[]]} */
  (path, rest) => [resolve("build/debug/native-tests/polystore_interop_writer"), [path, ...rest]],
];
/** The number of processes in each language. */
const WRITERS = 4;
/** The number of them that are killed, each this many times, and started again under another name. */
const KILLED = 2;
const KILLS = 2;

for (const { name, extension, count, fill } of [
  { name: "a File", extension: ".json", count: 20, fill: fillFile },
  { name: "a Folder", extension: "/", count: 60, fill: fillFolder },
]) {
  test(`${name}: four processes of JavaScript and four of C++ write at once, some are killed, and nothing acknowledged is lost`, async () => {
    const path = freshPath(extension);
    fill(path, count);
    /** The number of keys that each process acknowledged, by its name. @type {Record<string, number>} */
    const acknowledged = {};
    const write = async (/** @type {number} */ writer) => {
      const commandOf = LANGUAGES[writer % LANGUAGES.length];
      const kills = writer < KILLED * LANGUAGES.length ? KILLS : 0;
      for (let kill = 0; kill <= kills; ++kill) {
        const id = `writer-${writer}-${kill}`;
        const killAt = kill < kills ? 1 + Math.floor((Math.random() * count) / 2) : Infinity;
        ({ acknowledged: acknowledged[id] } = await runAcknowledging(commandOf(path, [id, String(count)]), { killAt }));
        if (killAt === Infinity) assert.equal(acknowledged[id], count);
      }
    };
    await Promise.all(Array.from({ length: WRITERS * LANGUAGES.length }, (_, writer) => write(writer)));

    const store = kv(urlOf(path));
    await store.set("last", 1); // This also removes what the killed processes left.
    const keys = new Set(await store.keys());
    const lost = [];
    for (const [id, length] of Object.entries(acknowledged)) {
      for (let i = 0; i < length; ++i) if (!keys.has(`${id}:${i}`)) lost.push(`${id}:${i}`);
    }
    for (let i = 0; i < count; ++i) if (!keys.has(`shared:${i}`)) lost.push(`shared:${i}`);
    assert.deepEqual(lost, []);
    const folder = extension === "/" ? path : dirname(path);
    // A process that was killed before its lock had its name leaves a file that is only removed once it is a minute old.
    const left = readdirSync(folder).filter((file) => !/\.json$|\.lock-\w+\.new$/.test(file));
    assert.deepEqual(left, []);
  });
}

/**
 * Writes expired records, which every process removes when it reads them.
 * @param {string} path
 * @param {number} count
 */
function fillFile(path, count) {
  const shared = Array.from({ length: count }, (_, i) => [`shared:${i}`, { expires: 1, value: "expired" }]);
  writeFileSync(path, JSON.stringify(Object.fromEntries(shared)));
}

/**
 * @param {string} path
 * @param {number} count
 */
function fillFolder(path, count) {
  mkdirSync(path);
  for (let i = 0; i < count; ++i) writeFileSync(join(path, `shared%3A${i}.json`), '{"expires":1,"value":"expired"}');
}
