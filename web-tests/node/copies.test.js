// Copies of this package in one program: a page and a route handler of one server, which are bundled apart, or what hot reloading
// has loaded again.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import kv from "polystore-wasm";

/** @type {string} */
let folder;
/** Of a copy that is another module in another place. @type {typeof kv} */
let copy;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "polystore-copies-"));
  await cp("dist/server", join(folder, "copy"), { recursive: true });
  await cp("package.json", join(folder, "package.json"));
  ({ default: copy } = await import(pathToFileURL(join(folder, "copy/index.js")).href));
  assert.notEqual(copy, kv);
});
after(() => rm(folder, { recursive: true }));

const url = (/** @type {string} */ name) => pathToFileURL(join(folder, name));

test("a log that one copy has open is open for the others", async () => {
  const [ours, theirs] = [kv(url("a.kv")), copy(url("a.kv"))];
  await ours.set("a", 1);
  assert.equal(await theirs.get("a"), 1);
  await theirs.set("b", 2);
  assert.deepEqual(await ours.all(), { a: 1, b: 2 });
});

test("what one copy has closed, another opens anew", async () => {
  const ours = kv(url("b.kv"));
  await ours.set("a", 1);
  await ours.close();
  const theirs = copy(url("b.kv"));
  assert.equal(await theirs.get("a"), 1);
  await theirs.close();
  await assert.rejects(ours.get("a"), { code: "ERR_CLOSED" });
});

test("a client of the user's own is connected once for all copies", async () => {
  let connected = 0;
  const map = new Map();
  const client = {
    connect: async () => void ++connected,
    get: (/** @type {string} */ key) => map.get(key),
    set: (/** @type {string} */ key, /** @type {unknown} */ record) => void map.set(key, record),
  };
  await Promise.all([kv(client).set("a", 1), copy(client).set("b", 2)]);
  assert.deepEqual([await copy(client).get("a"), await kv(copy(client)).get("b"), connected], [1, 2, 1]);
});

test("there is one core", async () => {
  const program = `
    let cores = 0;
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, { construct: (...args) => (++cores, Reflect.construct(...args)) });
    for (const path of process.argv.slice(1)) await (await import(path)).default().set("a", 1);
    console.log(cores);`;
  const paths = ["dist/server/index.js", join(folder, "copy/index.js")].map((path) => pathToFileURL(path).href);
  const { stdout } = await promisify(execFile)("node", ["--input-type=module", "-e", program, ...paths]);
  assert.equal(stdout.trim(), "1");
});
