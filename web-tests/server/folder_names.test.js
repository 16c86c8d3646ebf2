// How a Folder names its files: as polystore does where it can, and never two keys alike.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import upstream from "polystore";
import kv from "polystore-wasm";
import { isSame, keyOf, nameOf } from "../../js/clients/folder/file_name.js";
import { filesFor, urlOf } from "../support/files.js";
import { ignoringCase } from "../support/ignore_case.js";

const { root, freshPath } = filesFor("names");
const disk = join(root, "disk");
mkdirSync(disk);
const env = ignoringCase(root, disk);
const MARKER = ".polystore-ignores-case";
let folders = 0;
const onDisk = () => join(disk, `${++folders}`, "/");

/** Keys of every kind, of which many differ in case only, and many are long. @type {string[]} */
const KEYS = [
  "",
  ".",
  "a",
  "A",
  "Ada",
  "ada",
  "aDA",
  "JKLMNOZ",
  "%41",
  "%4a",
  "+",
  "user:1/*",
  "User:1/*",
  "ü",
  "Ü",
  "🦊",
];
for (const part of ["a", "A", "z", "Z", "ü", "Ü", "%", "🦊"])
  for (const times of [41, 83, 84, 250, 251, 5000]) KEYS.push(part.repeat(times));

/** A value for each key. */
const ENTRIES = Object.fromEntries(KEYS.map((key, i) => [key, i]));

/**
 * Runs a program with `kv`, polystore, the URL of a folder and `args` in a process of its own, for which the disk ignores case.
 * @param {string} folder
 * @param {string} program Which returns something.
 * @param {unknown} [args]
 */
function runOnDisk(folder, program, args) {
  const text = `import kv from "polystore-wasm"; import upstream from "polystore"; import * as fs from "node:fs";
    const [url, args] = process.argv.slice(1).map((argument) => JSON.parse(argument));
    const result = await (async () => { ${program} })();
    console.log(JSON.stringify(result ?? null));`;
  const more = [urlOf(folder), args ?? null].map((argument) => JSON.stringify(argument));
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", text, ...more], { env, encoding: "utf8" }),
  );
}

/** Runs the program of the C++ library: sets entries, and gives all that is there then. */
function runNative(/** @type {string} */ folder, /** @type {object} */ entries, environment = process.env) {
  const program = resolve("build/debug/native-tests/polystore_interop_folder");
  return JSON.parse(
    execFileSync(program, [folder], { env: environment, encoding: "utf8", input: JSON.stringify(entries) }),
  );
}

test("the disk that ignores case is one, and keeps it", () => {
  const folder = onDisk();
  mkdirSync(folder);
  const program = `fs.writeFileSync(new URL("Ada", url), "1"); fs.writeFileSync(new URL("aDA", url), "2");
    return [fs.readFileSync(new URL("ada", url), "utf8"), fs.existsSync(new URL("ADA", url)), fs.existsSync(new URL("b", url))];`;
  assert.deepEqual(runOnDisk(folder, program), ["2", true, false]);
  assert.deepEqual(readdirSync(folder), ["Ada"]);
});

test("no two keys have one name, on any disk, and none is too long", () => {
  for (const ignoresCase of [false, true]) {
    const names = KEYS.map((key) => nameOf(key, ignoresCase));
    assert.equal(new Set(ignoresCase ? names.map((name) => name.toLowerCase()) : names).size, KEYS.length);
    assert.ok(names.every((name) => name.length <= 255));
  }
  assert.ok(isSame("Ada%2A", "aDA%2a"));
});

test("keys have the names that the C++ library gives them, and names of devices of Windows are escaped", () => {
  const cases = JSON.parse(readFileSync(new URL("../contract/file_names.json", import.meta.url), "utf8"));
  for (const { key, name, ignoringCase } of cases) {
    assert.deepEqual([nameOf(key, false), nameOf(key, true)], [name, ignoringCase]);
    assert.equal(keyOf(ignoringCase), key);
  }
  const long = `con.${"a".repeat(300)}`;
  assert.match(nameOf(long, true), /^%63on\.a{156}\+[0-9a-f]{64}\.json$/);
});

test("a key has the name that polystore gives it, as long as that is short enough", async () => {
  const folder = freshPath("/");
  const store = kv(urlOf(folder));
  for (const key of KEYS) await store.set(key, ENTRIES[key]);
  assert.deepEqual(await store.all(), ENTRIES);
  const names = readdirSync(folder);
  assert.ok(!names.includes(MARKER));
  let long = 0;
  for (const key of KEYS) {
    const name = `${encodeURIComponent(key).replaceAll("*", "%2A")}.json`;
    if (name.length > 255) ++long;
    else assert.ok(names.includes(name), name);
  }
  assert.ok(long > 20);
  const short = Object.entries(ENTRIES).filter(([key]) => nameOf(key, false).indexOf("+") === -1);
  assert.deepEqual(await upstream(urlOf(folder)).all(), Object.fromEntries(short));
});

test("a long name is the head of the key and its hash, and the file has the key", async () => {
  const folder = freshPath("/");
  await kv(urlOf(folder)).set("ü/".repeat(100), 1, { expires: null });
  const head = "%C3%BC%2F".repeat(17);
  const hash = execFileSync("sha256sum", { input: "ü/".repeat(100), encoding: "utf8" }).slice(0, 64);
  assert.deepEqual(readdirSync(folder), [`${head}%C3%BC+${hash}.json`]);
  const [name] = readdirSync(folder);
  assert.equal(
    readFileSync(join(folder, name), "utf8"),
    `{\n  "key": "${"ü/".repeat(100)}",\n  "expires": null,\n  "value": 1\n}`,
  );
});

test("a file whose long name is not that of the key in it is other code's", async () => {
  const folder = freshPath("/");
  const store = kv(urlOf(folder));
  const [key, other] = ["k".repeat(300), "k".repeat(301)];
  await store.set(key, 1);
  await store.set(other, 2);
  const texts = [
    `{"key":"${other}","expires":null,"value":3}`,
    `{"expires":null,"value":3}`,
    `{"key":"\\ud800","expires":null,"value":3}`,
  ];
  for (const text of texts) {
    writeFileSync(join(folder, nameOf(key, false)), text);
    assert.deepEqual(await store.all(), { [other]: 2 });
    assert.deepEqual([await store.get(key), await store.prefix("k").keys()], [null, [other.slice(1)]]);
    await store.del(key);
    await store.prefix(key).clear();
    assert.equal(readFileSync(join(folder, nameOf(key, false)), "utf8"), text);
    await store.set(other, 2);
  }
});

test("what the contract says of keys and prefixes holds on a disk that ignores case", () => {
  const program = fileURLToPath(new URL("folder_contract.js", import.meta.url));
  const folder = onDisk();
  mkdirSync(folder);
  // To the runner of tests, this is no test of its own.
  const environment = { ...env, NODE_TEST_CONTEXT: undefined };
  const args = ["--test-name-pattern=^(keys|prefix)", "--test-reporter=tap", program, folder];
  const output = execFileSync(process.execPath, args, { env: environment, encoding: "utf8", maxBuffer: 2 ** 26 });
  assert.match(output, /^# pass [6-9]\d$/m);
  assert.match(output, /^# fail 0$/m);
});

test("on a disk that ignores case, keys that differ in nothing else are kept apart, also in what is copied from it", async () => {
  const folder = onDisk();
  const set = `const store = kv(url); for (const [key, value] of Object.entries(args)) await store.set(key, value);`;
  assert.deepEqual(runOnDisk(folder, `${set} return store.all();`, ENTRIES), ENTRIES);
  const get = `const store = kv(url); const values = {}; for (const key of args) values[key] = await store.get(key); return values;`;
  assert.deepEqual(runOnDisk(folder, get, KEYS), ENTRIES);
  assert.deepEqual(runOnDisk(folder, `return kv(url).get("ADA");`), null);
  // Polystore finds those that no capital is in.
  assert.deepEqual(runOnDisk(folder, `return upstream(url).get("ada");`), ENTRIES.ada);

  const copy = freshPath("/");
  cpSync(folder, copy, { recursive: true });
  const store = kv(urlOf(copy));
  assert.deepEqual(await store.all(), ENTRIES);
  for (const key of KEYS) assert.equal(await store.get(key), ENTRIES[key]);
  await store.clear();
  assert.deepEqual(readdirSync(copy), [MARKER]);
});

test("on a disk that ignores case, what polystore left is found, and other code's files stay as they are", () => {
  const folder = onDisk();
  const long = "Q".repeat(200); // Too long a name once its capitals are written out.
  const write = `const store = upstream(url); for (const key of args) await store.set(key, key);
    fs.writeFileSync(new URL("README.json", url), '{"name":"X"}'); fs.writeFileSync(new URL("Notes.txt", url), "");`;
  runOnDisk(folder, write, ["Ada", "bob", "Zoe:1", long]);
  const find = `return [await kv(url).get("ada"), await kv(url).get("Ada"), await kv(url).all(), fs.readdirSync(new URL(url))];`;
  const [none, ada, all, names] = runOnDisk(folder, find);
  assert.deepEqual([none, ada], [null, "Ada"]);
  assert.deepEqual(all, { Ada: "Ada", bob: "bob", "Zoe:1": "Zoe:1", [long]: long });
  const expected = [MARKER, "%41da.json", "%5Aoe%3A1.json", "Notes.txt", "README.json", "bob.json", nameOf(long, true)];
  assert.deepEqual(names.sort(), expected.sort());
  assert.deepEqual(runNative(folder, {}, env), all);
});

test("processes that find such a folder at once lose nothing", async () => {
  const folder = onDisk();
  runOnDisk(
    folder,
    `for (const key of args) await upstream(url).set(key, key);`,
    KEYS.slice(4, 8).concat("Bob", "Carl"),
  );
  const before = runOnDisk(folder, `return upstream(url).all();`);
  const program = `import kv from "polystore-wasm"; const [url, key] = process.argv.slice(1);
    const store = kv(url); await store.set(key, key); if ((await store.get(key)) !== key) process.exitCode = 1;`;
  const writers = ["bob", "carl", "BOB", "dora"].map((key) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, urlOf(folder), key], {
      env,
      stdio: "inherit",
    });
    return new Promise((done) => child.once("close", done));
  });
  assert.deepEqual(await Promise.all(writers), [0, 0, 0, 0]);
  const expected = { ...before, bob: "bob", carl: "carl", BOB: "BOB", dora: "dora" };
  assert.deepEqual(runOnDisk(folder, `return kv(url).all();`), expected);
});

for (const [name, environment, fresh] of /** @type {const} */ ([
  ["", process.env, () => freshPath("/")],
  [" on a disk that ignores case", env, onDisk],
])) {
  test(`C++ reads the folder that we write, and we read what C++ writes${name}`, async () => {
    const folder = fresh();
    const half = (/** @type {number} */ which) =>
      Object.fromEntries(KEYS.flatMap((key, i) => (i % 2 === which ? [[key, i]] : [])));
    mkdirSync(folder);
    const program = `const store = kv(url); for (const [key, value] of Object.entries(args)) await store.set(key, value); return store.all();`;
    const ours = (/** @type {object} */ entries) =>
      environment === env ? runOnDisk(folder, program, entries) : setAll(folder, entries);
    assert.deepEqual(await ours(half(0)), half(0));
    assert.deepEqual(runNative(folder, half(1), environment), ENTRIES);
    assert.deepEqual(await ours({}), ENTRIES);
    assert.deepEqual(await ours(half(1)), ENTRIES);
    assert.equal(readdirSync(folder).filter((name) => name.endsWith(".json")).length, KEYS.length);
    assert.equal(existsSync(join(folder, MARKER)), environment === env);

    const other = fresh();
    assert.deepEqual(runNative(other, ENTRIES, environment), ENTRIES);
    assert.deepEqual(readdirSync(other).sort(), readdirSync(folder).sort());
    for (const name of readdirSync(other))
      assert.equal(readFileSync(join(other, name), "utf8"), readFileSync(join(folder, name), "utf8"));
  });
}

/** @param {string} folder @param {object} entries */
async function setAll(folder, entries) {
  const store = kv(urlOf(folder));
  for (const [key, value] of Object.entries(entries)) await store.set(key, value);
  return store.all();
}
