import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as exported from "polystore-wasm";
import { BUDGET, CHUNK_BUDGETS, ENGINE_BUDGET, engineSize, sizes } from "../../.tools/size.mjs";
import { Ask, Method, Outcome, Trait, Verdict } from "../../js/core/core.js";
import { VERSION } from "../../js/support/version.js";

const read = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("a page downloads no more than the budget before its first localStorage operation", () => {
  const index = sizes().find(({ name }) => name === "index.js");
  assert.ok(index && index.bytes > 0 && index.bytes <= BUDGET, `${index?.bytes} bytes of ${BUDGET}`);
});

test("README and docs/install.md say how large that is", () => {
  const { bytes } = /** @type {{ bytes: number }} */ (sizes().find(({ name }) => name === "index.js"));
  const size = `${Math.round(bytes / 1000)} KB`;
  const said = [...read("README.md").matchAll(/\bof (\d+ KB) \(brotli\)|localStorage, and (\d+ KB) matter/g)];
  assert.deepEqual(
    said.map(([, first, second]) => first ?? second),
    [size, size],
  );
  assert.match(read("docs/install.md"), new RegExp(`a page\\s+loads ${size}, and each client that it uses`));
});

test("each file that a page loads on demand has a budget, and is no larger", () => {
  const files = sizes().filter(({ name }) => !/^(index|server|contract)\.js$|^(server|workerd)\//.test(name));
  assert.deepEqual(files.map(({ name }) => name).sort(), Object.keys(CHUNK_BUDGETS).sort());
  const tooLarge = files.filter(
    ({ name, bytes }) => bytes > /** @type {Record<string, number>} */ (CHUNK_BUDGETS)[name],
  );
  assert.deepEqual(tooLarge, []);
});

test("the engine of logs is no larger than its budget", () => {
  const bytes = engineSize();
  assert.ok(bytes > 0 && bytes <= ENGINE_BUDGET, `${bytes} bytes of ${ENGINE_BUDGET}`);
});

test("the copies of one version share what they have open, by the version of package.json", () => {
  assert.equal(VERSION, JSON.parse(read("package.json")).version);
});

test("the C++ library has the version of package.json", () => {
  const [, version] = /^ {2}VERSION (\S+)$/m.exec(read("CMakeLists.txt")) ?? [];
  assert.equal(version, JSON.parse(read("package.json")).version);
});

test("index.d.ts declares what the module exports", () => {
  const declarations = read("js/index.d.ts").matchAll(/^export (?:default function|class) (\w+)/gm);
  const declared = [...new Set(Array.from(declarations, ([, name]) => name))]; // kv() is declared once for each way to call it.
  const names = Object.keys(exported).map((name) => (name === "default" ? exported.default.name : name));
  // The module is minified, and the name of its default export with it.
  assert.equal(names.length, declared.length);
  assert.ok(declared.includes("kv") && declared.includes("PolystoreError") && names.includes("PolystoreError"));
});

test("index.d.ts declares the members of a store, all of them", () => {
  const [, members] = /export interface Store<.*?\{(.*?)^\}/ms.exec(read("js/index.d.ts")) ?? [];
  const declared = [...(members ?? "").matchAll(/^ {2}(?:readonly )?(\w+)[<(:]/gm)].map(([, name]) => name);
  const store = exported.default();
  const actual = [store, Object.getPrototypeOf(store)].flatMap(Object.getOwnPropertyNames);
  assert.deepEqual([...new Set(declared)].sort(), actual.filter((name) => name !== "constructor").sort());
});

test("the declaration of the core names what the core names", () => {
  const declaration = read("js/core/core_types.d.ts");
  for (const [name, enumeration] of Object.entries({ Ask, Method, Outcome, Trait, Verdict })) {
    const [, text] = new RegExp(`  ${name}: Enumeration<(.*?)>;`, "s").exec(declaration) ?? [];
    const declared = [...(text ?? "").matchAll(/"(\w+)"/g)].map(([, value]) => value);
    assert.deepEqual(declared, Object.keys(enumeration), name);
  }
});

test("every error code has its line in docs/errors.md", () => {
  const [, codes] = /type ErrorCode =(.*?);/s.exec(read("js/index.d.ts")) ?? [];
  const declared = [...(codes ?? "").matchAll(/ERR_\w+/g)].map(([code]) => code);
  const documented = [...read("docs/errors.md").matchAll(/^\| `(ERR_\w+)` +\|/gm)].map(([, code]) => code);
  assert.ok(declared.length > 0);
  assert.deepEqual(documented, declared);
});
