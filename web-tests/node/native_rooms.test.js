// The rooms of the C++ library, as the table of docs/architecture.md has them: which may include which, and which headers are public.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = "src/polystore";
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\.[ch]pp$/.test(name));
const roomOf = (/** @type {string} */ file) => dirname(file);
const isPublic = (/** @type {string} */ file) => roomOf(file) === ".";

/** The files that a file includes, as paths from src/polystore. @param {string} file */
function includesOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^#include "polystore\/([^"]+)"/gm)].map(([, included]) => included);
}

/** Each room with those that it may include. @type {Map<string, string[]>} */
const rooms = new Map();
for (const [, room, included] of readFileSync("docs/architecture.md", "utf8").matchAll(
  /^\| `src\/polystore\/(\w+)\/` +\|[^|]*\| ([^|]*)\|$/gm,
)) {
  rooms.set(
    room,
    [...included.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
}

test("the rooms of the C++ library are those of the table, each above those that it includes", () => {
  const folders = new Set(files.map(roomOf).filter((folder) => folder !== "."));
  assert.deepEqual([...rooms.keys()].sort(), [...folders].sort());
  const names = [...rooms.keys()];
  for (const [room, included] of rooms) {
    for (const other of included) assert.ok(names.indexOf(other) > names.indexOf(room), `${room} -> ${other}`);
  }
});

test("each room of the C++ library includes public headers, what the table says, and nothing else", () => {
  /** @type {Set<string>} */
  const found = new Set();
  for (const file of files.filter((name) => !isPublic(name))) {
    for (const included of includesOf(file)) {
      assert.notEqual(included, "polystore.hpp", file);
      const [room, other] = [roomOf(file), roomOf(included)];
      if (other !== room && other !== ".") found.add(`${room} -> ${other}`);
    }
  }
  const allowed = [...rooms].flatMap(([room, included]) => included.map((other) => `${room} -> ${other}`));
  assert.deepEqual([...found].sort(), allowed.sort());
});

test("src/polystore itself holds public headers, which include public headers only, and exactly those are installed", () => {
  const [, set] =
    /FILE_SET\s+HEADERS\s+BASE_DIRS\s+src\s+FILES([^)]*)\)/.exec(readFileSync("CMakeLists.txt", "utf8")) ?? [];
  const installed = set
    .trim()
    .split(/\s+/)
    .map((path) => path.slice(root.length + 1));
  const clients = ["file", "folder", "log", "memory"].map((name) => `clients/${name}.hpp`);
  assert.deepEqual([...installed].sort(), [...files.filter(isPublic), ...clients].sort());
  for (const header of installed) {
    assert.ok(header.endsWith(".hpp"), header);
    const hidden = includesOf(header).filter((included) => !installed.includes(included));
    assert.deepEqual(hidden, [], header);
  }
});
