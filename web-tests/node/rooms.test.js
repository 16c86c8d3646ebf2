// Which folder of js/ may import which: the table of docs/architecture.md says so, and its rows are in order, each above
// those that it imports.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";

/** An import of a file in another one, both as paths from js/. @typedef {{ from: string, to: string }} Arrow */

/** The modules that package.json names, for each the files that a platform may get. @type {Record<string, Record<string, string>>} */
const named = JSON.parse(readFileSync("package.json", "utf8")).imports;

/**
 * All imports of the files in js/, by a statement or by import(). Types in comments are none.
 * @returns {Promise<Arrow[]>}
 */
async function arrowsOfFiles() {
  const files = readdirSync("js", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  /** @type {Arrow[]} */
  const arrows = [];
  /** @type {import("esbuild").Plugin} */
  const recorder = {
    name: "recorder",
    setup({ onResolve }) {
      onResolve({ filter: /^[.#]/ }, ({ path, importer, kind, resolveDir }) => {
        if (kind === "entry-point") return undefined;
        const targets = path.startsWith("#") ? Object.values(named[path]) : [join(resolveDir, path)];
        const from = relative("js", importer);
        for (const to of targets.map((target) => relative("js", target))) {
          if (!to.startsWith("..")) arrows.push({ from, to }); // Else it is built: the WebAssembly, and its glue.
        }
        return { path, external: true };
      });
    },
  };
  await build({
    entryPoints: files.map((name) => `./${join("js", name)}`),
    bundle: true,
    write: false,
    outdir: "build",
    format: "esm",
    external: ["node:*"],
    plugins: [recorder],
  });
  return arrows;
}

/** The table of the page: each room with those that it may import. @type {Map<string, string[]>} */
const rooms = new Map();
for (const [, room, imported] of readFileSync("docs/architecture.md", "utf8").matchAll(
  /^\| `js\/([\w.]+)\/?` +\|[^|]*\| ([^|]*)\|$/gm,
)) {
  rooms.set(
    room,
    [...imported.matchAll(/`([\w.]+)`/g)].map(([, name]) => name),
  );
}

const arrows = await arrowsOfFiles();
const roomOf = (/** @type {string} */ file) => file.split("/")[0];

/** Joins two names as the messages below have them. */
const show = (/** @type {string} */ from, /** @type {string} */ to) => `${from} -> ${to}`;

test("the folders and entries of js/ are those of the table", () => {
  const names = readdirSync("js", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith(".js"))
    .map(({ name }) => name);
  assert.deepEqual([...rooms.keys()].sort(), names.sort());
});

test("each folder imports what the table says, and nothing else", () => {
  const allowed = [...rooms].flatMap(([room, imported]) => imported.map((other) => show(room, other)));
  const found = arrows.filter(({ from, to }) => roomOf(from) !== roomOf(to));
  const wrong = found.filter(({ from, to }) => !allowed.includes(show(roomOf(from), roomOf(to))));
  assert.deepEqual(
    wrong.map(({ from, to }) => show(from, to)),
    [],
  );
  const used = new Set(found.map(({ from, to }) => show(roomOf(from), roomOf(to))));
  assert.deepEqual(
    allowed.filter((arrow) => !used.has(arrow)),
    [],
    "arrows of the table that no file needs",
  );
});

test("the arrows of the table lead downward only", () => {
  const order = [...rooms.keys()];
  const upward = [...rooms].flatMap(([room, imported]) =>
    imported.filter((other) => order.indexOf(other) <= order.indexOf(room)).map((other) => show(room, other)),
  );
  assert.deepEqual(upward, []);
});

test("no folder, however deep, imports one that leads back to it", () => {
  /** @type {Map<string, Set<string>>} */
  const imported = new Map();
  for (const { from, to } of arrows) {
    const [folder, other] = [dirname(from), dirname(to)];
    // The files directly in js/ are entries, which nobody imports, and each is a room of its own.
    if (folder !== other) imported.set(folder, (imported.get(folder) ?? new Set()).add(other));
  }
  /** @type {string[]} */
  const circles = [];
  const look = (/** @type {string[]} */ path) => {
    for (const next of imported.get(/** @type {string} */ (path.at(-1))) ?? []) {
      if (next === path[0]) circles.push([...path, next].join(" -> "));
      else if (!path.includes(next)) look([...path, next]);
    }
  };
  for (const folder of imported.keys()) look([folder]);
  assert.deepEqual(circles, []);
});
