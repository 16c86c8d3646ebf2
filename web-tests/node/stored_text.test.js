// A storage of texts holds the JSON of a value. One function makes that text, for all of them.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** The rooms through which a value passes on its way to a storage. */
const ROOMS = ["js/clients", "js/core", "js/engine", "js/store", "js/support"];

test("only encodeValue() in record.js makes the JSON of a value", () => {
  const files = ROOMS.flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: "utf8" }).map((name) => join(room, name)),
  ).filter((path) => path.endsWith(".js"));
  const makers = files.flatMap((path) => {
    const calls = readFileSync(path, "utf8").match(/JSON\.stringify\([\w.]*\bvalue\)/g) ?? [];
    return calls.map((call) => `${path}: ${call}`);
  });
  // A fingerprint is only compared with others.
  const stored = makers.filter((maker) => !maker.startsWith("js/store/fingerprint.js"));
  assert.deepEqual(stored, ["js/support/record.js: JSON.stringify(value)"]);
});
