// What the C++ library writes to a file and to a folder, polystore and we read; and its file the other way round.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import upstream from "polystore";
import kv from "polystore-wasm";

const programs = resolve("build/debug/native-tests");
const folder = mkdtempSync(join(tmpdir(), "polystore-native-"));
after(() => rmSync(folder, { recursive: true }));

/** @type {{ name: string, open: (url: any) => any }[]} */
const libraries = [
  { name: "polystore", open: upstream },
  { name: "polystore-wasm", open: kv },
];

for (const { name, open } of libraries) {
  test(`${name} reads the file and the folder that C++ wrote`, async () => {
    const countries = resolve("node_modules/world-countries/countries.json");
    execFileSync(join(programs, "polystore_demo"), [countries, folder]);
    for (const url of [`file://${folder}/countries.json`, `file://${folder}/countries/`]) {
      const europe = open(url).prefix("europe:");
      assert.equal((await europe.keys()).length, 53, url);
      assert.equal((await europe.get("ad")).capital, "Andorra la Vella", url);
    }
  });

  test(`C++ reads the file that ${name} wrote`, () => checkFile(open(`file://${folder}/cache.json`)));
}

/** @param {any} store Over the file that the program of the README uses. */
async function checkFile(store) {
  await store.clear();
  await store.set("ключ 🔑", { deep: [1, "two", null] });
  await store.set("lives", true, { expires: "1h" });
  await store.set("gone", 1, { expires: 0.001 });
  const output = execFileSync(join(programs, "polystore_ten_lines"), { cwd: folder, encoding: "utf8" });
  const expected = ['greeting = "hello"', "lives = true", 'ключ 🔑 = {"deep":[1,"two",null]}'];
  assert.deepEqual(output.trim().split("\n").sort(), expected);
  assert.equal(await store.get("greeting"), "hello");
}
