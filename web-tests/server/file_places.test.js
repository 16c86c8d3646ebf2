// Where a File, a Folder and a Log lie, and what others put there: links, disks that cannot do all, and texts of other programs.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import kv from "polystore-wasm";
import { replaceFile } from "../../js/disk/replace_file.js";
import { temporaryPath } from "../../js/disk/temporary_file.js";
import { failingDisk } from "../support/failing_disk.js";
import { filesFor, urlOf } from "../support/files.js";
import { runApart } from "../support/run_apart.js";

const { root, freshPath } = filesFor("places");
const freshFolder = () => {
  const path = freshPath("");
  mkdirSync(path);
  return path;
};
const folderUrl = (/** @type {string} */ path) => /** @type {`file:${string}`} */ (`${urlOf(path)}/`);
/** A File, a Folder and a Log in a folder. */
const PLACES = { "a file": "data.json", "a folder": "data/", "a log": "data.kv" };

for (const [name, place] of Object.entries(PLACES)) {
  test(`${name}: what a dangling link leads to is made, and the link stays a link`, async () => {
    const folder = freshFolder();
    const link = join(folder, place.replace(/\/$/, ""));
    mkdirSync(join(folder, "there", "inner"), { recursive: true });
    symlinkSync("there/inner", join(folder, "other"));
    symlinkSync("other/../later/target", link);
    const url = urlOf(join(folder, place));
    let store = kv(url);
    assert.equal(await store.get("a"), null);
    await store.set("a", 1);
    assert.equal(await store.get("a"), 1);
    await store.close();
    assert.equal(readlinkSync(link), "other/../later/target");
    assert.ok(existsSync(join(folder, "there", "later", "target")));
    store = kv(url);
    assert.equal(await store.get("a"), 1);
    await store.close();
  });
}

for (const [name, place] of [
  ["a file", "data.json"],
  ["a folder", "data/"],
]) {
  test(`${name}: a link that is made to lead elsewhere while the store is open is followed`, async () => {
    const folder = freshFolder();
    for (const [version, value] of [
      ["v1", "old"],
      ["v2", "new"],
    ])
      await kv(urlOf(join(folder, version, place))).set("a", value);
    symlinkSync("v1", join(folder, "current"));
    const store = kv(urlOf(join(folder, "current", place)));
    assert.equal(await store.get("a"), "old");
    await store.set("b", 0);
    // As a mounted config map does it.
    symlinkSync("v2", join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
    execFileSync("rm", ["-r", join(folder, "v1")]);
    assert.deepEqual([await store.get("a"), await store.keys()], ["new", ["a"]]);
    await store.set("b", 1);
    assert.deepEqual(readdirSync(folder).sort(), ["current", "v2"]);
    assert.deepEqual(await kv(urlOf(join(folder, "v2", place))).all(), { a: "new", b: 1 });
  });
}

test("a record of a folder whose file is a link is written where that leads", async () => {
  const folder = freshFolder();
  const elsewhere = join(freshPath(""), "deep");
  symlinkSync(join(elsewhere, "a.txt"), join(folder, "a.json"));
  const store = kv(folderUrl(folder));
  assert.equal(await store.get("a"), null);
  await store.set("a", 1);
  assert.equal(await store.get("a"), 1);
  assert.ok(readFileSync(join(elsewhere, "a.txt"), "utf8").includes('"value": 1'));
  assert.equal(readlinkSync(join(folder, "a.json")), join(elsewhere, "a.txt"));
});

const disk = failingDisk(root);

for (const [name, place] of Object.entries(PLACES)) {
  for (const error of /** @type {const} */ (["EINVAL", "ENOTSUP", "ENOSYS"])) {
    test(`${name}: a folder that cannot be synced (${error}) holds it all the same`, async () => {
      const url = urlOf(join(freshFolder(), "made", place));
      const program = `
        const store = kv(args[0]);
        await store.set("a", 1);
        await store.set("b", 2);
        await store.del("b");
        const all = await store.all();
        await store.close();
        console.log(JSON.stringify(all));`;
      const shell = `${disk} FOLDER_SYNC_ERROR=${constants.errno[error]}`;
      assert.deepEqual(await runApart(shell, program, url), { a: 1 });
    });
  }
}

test("a folder whose sync fails is an error", async () => {
  const program = `
    console.log(JSON.stringify(await kv(args[0]).set("a", 1).catch(({ code, cause }) => [code, cause.code])));`;
  const shell = `${disk} FOLDER_SYNC_ERROR=${constants.errno.EIO}`;
  assert.deepEqual(await runApart(shell, program, folderUrl(freshFolder())), ["ERR_CLIENT", "EIO"]);
});

for (const [name, prepare] of /** @type {const} */ ([
  ["an empty file", (/** @type {string} */ path) => writeFileSync(path, "")],
  [
    "a log",
    async (/** @type {string} */ path) => {
      const store = kv(urlOf(path));
      await store.set("first", 1);
      await store.close();
    },
  ],
])) {
  test(`${name} that is mounted alone, and cannot be replaced, is a log that is not compacted`, async () => {
    const path = freshPath(".kv");
    await prepare(path);
    const program = `
      const { watch } = await import("node:fs");
      const { dirname } = await import("node:path");
      const [url, path] = args;
      let made = 0; // How often the new log of a compaction was made or removed.
      watch(dirname(path), (_, name) => name === path.slice(dirname(path).length + 1) + ".new" && ++made).unref();
      const store = kv(url);
      await store.set("b", 2);
      const before = made;
      for (let i = 0; i < 20 || made < before + 2; ++i) {
        await store.set("a", "x".repeat(400_000) + i);
        await new Promise((resolve) => setTimeout(resolve));
      }
      await store.set("last", 3);
      await store.close();
      const again = kv(url);
      console.log(JSON.stringify(await again.keys()));
      await again.close();`;
    const shell = `${disk} RENAME_TO=${path} RENAME_ERROR=${constants.errno.EBUSY}`;
    const keys = name === "a log" ? ["a", "b", "first", "last"] : ["a", "b", "last"];
    assert.deepEqual(await runApart(shell, program, urlOf(path), path), keys);
    const folder = readdirSync(dirname(path)).filter((file) => file.startsWith(basename(path)));
    assert.deepEqual(folder, [basename(path)]);
  });
}

test("a file that is mounted alone, and cannot be replaced, is written in place", async () => {
  const path = freshPath();
  const long = "x".repeat(1000);
  await kv(urlOf(path)).set("a", long);
  const { ino } = statSync(path);
  const program = `
    const store = kv(args[0]);
    for (const value of ["short", "y".repeat(3000), "short"]) await store.set("b", value);
    await store.set("a", "short");
    console.log(JSON.stringify(await store.all()));`;
  const shell = `${disk} RENAME_ERROR=${constants.errno.EBUSY} RENAME_TO=${path}`;
  const all = { a: "short", b: "short" };
  assert.deepEqual(await runApart(shell, program, urlOf(path)), all);
  assert.equal(statSync(path).ino, ino);
  assert.deepEqual(await kv(urlOf(path)).all(), all);
  assert.deepEqual(
    readdirSync(dirname(path)).filter((name) => name.includes("polystore")),
    [],
  );
});

test("a file that may be written, in a folder that may not, is written in place; one that may not is an error", async () => {
  const folder = freshFolder();
  const [path, kept] = [join(folder, "data.json"), join(folder, "kept.json")];
  for (const file of [path, kept]) await kv(urlOf(file)).set("a", 1);
  chmodSync(path, 0o666);
  chmodSync(kept, 0o444);
  chmodSync(folder, 0o555);
  chmodSync(dirname(folder), 0o755);
  // Root may write everywhere, so it becomes somebody else; once all code is loaded, which only root may be allowed to read.
  const program = `
    await kv(args[2]).set("a", 1);
    if (process.getuid() === 0) process.setuid(65534);
    await kv(args[0]).set("b", 2);
    const failure = await kv(args[1]).set("b", 2).catch(({ code, cause }) => [code, cause.code]);
    console.log(JSON.stringify([await kv(args[0]).all(), failure]));`;
  assert.deepEqual(await runApart("true", program, urlOf(path), urlOf(kept), urlOf(freshPath())), [
    { a: 1, b: 2 },
    ["ERR_CLIENT", "EACCES"],
  ]);
  assert.deepEqual(readdirSync(folder), ["data.json", "kept.json"]);
  chmodSync(folder, 0o755);
});

test("without room for a longer text, what was written in place is as it was", async () => {
  const path = freshPath();
  const program = `
    const store = kv(args[0]);
    await store.set("a", 1);
    const failure = await store.set("b", "x".repeat(3000)).catch(({ code }) => code);
    console.log(JSON.stringify([failure, await store.all()]));`;
  writeFileSync(path, "{}");
  const shell = `${disk} RENAME_ERROR=${constants.errno.EBUSY} RENAME_TO=${path} ROOM=1000`;
  assert.deepEqual(await runApart(shell, program, urlOf(path)), ["ERR_QUOTA", { a: 1 }]);
  assert.deepEqual(await kv(urlOf(path)).all(), { a: 1 });
});

for (const error of /** @type {const} */ (["EPERM", "EBUSY", "EACCES"])) {
  test(`on Windows, a file that a scanner blocks for a while (${error}) is replaced a little later`, async () => {
    const path = freshPath();
    writeFileSync(path, "{}");
    const { ino } = statSync(path);
    const program = `
      Object.defineProperty(process, "platform", { value: "win32" });
      console.log(JSON.stringify(await kv(args[0]).set("a", 1).catch(({ cause }) => cause.code)));`;
    const shell = `${disk} RENAME_ERROR=${constants.errno[error]} RENAME_TO=${path}`;
    assert.equal(await runApart(`${shell} RENAME_TIMES=3`, program, urlOf(path)), "a");
    assert.notEqual(statSync(path).ino, ino);
    assert.equal(await kv(urlOf(path)).get("a"), 1);
    assert.equal(await runApart(shell, program, urlOf(path)), error);
  });
}

test("on Windows, a file of a Folder that a scanner blocks for a while is removed a little later, and a lock is taken", async () => {
  const program = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    Object.defineProperty(process, "platform", { value: "win32" });
    const store = kv(args[0]);
    await store.set("a", 1);
    const blocked = new Map();
    const block = (rename) => (from, to) => {
      const count = blocked.get(to) ?? 0;
      blocked.set(to, count + 1);
      if (count < 2) throw Object.assign(new Error("It is in use."), { code: "EBUSY" });
      return rename(from, to);
    };
    fs.renameSync = block(fs.renameSync);
    fs.promises.rename = block(fs.promises.rename);
    syncBuiltinESMExports();
    console.log(JSON.stringify([await store.take("a"), await store.keys(), blocked.size, [...blocked.values()]]));`;
  const [taken, keys, count, attempts] = await runApart("true", program, folderUrl(freshFolder()));
  assert.deepEqual([taken, keys], [1, []]);
  assert.deepEqual(attempts, Array(count).fill(3));
  assert.ok(count >= 2, "the file was moved aside, and the lock file was named");
});

test("nothing is open while a file is replaced", async () => {
  const path = freshPath();
  const program = `
    import { readdirSync, readlinkSync } from "node:fs";
  import fs from "node:fs/promises";
    import { syncBuiltinESMExports } from "node:module";
    const open = [];
    let renamed = 0;
    const { rename } = fs;
    fs.rename = (from, to) => {
      ++renamed;
      for (const name of readdirSync("/proc/self/fd")) {
        try {
          const file = readlinkSync("/proc/self/fd/" + name);
          if (file === from || file === to) open.push(file);
        } catch {} // The one that listed them.
      }
      return rename(from, to);
    };
    syncBuiltinESMExports();
    const store = kv(args[0]);
    for (const key of ["a", "b", "c"]) {
      await store.set(key, 1);
      await store.get(key);
    }
    console.log(JSON.stringify([renamed, open]));`;
  assert.deepEqual(await runApart("true", program, urlOf(path)), [3, []]);
});

test("a byte order mark is passed over", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "data.json"), '\uFEFF{"a":{"expires":null,"value":1}}');
  writeFileSync(join(folder, "b.json"), '\uFEFF{"expires":null,"value":2}');
  const file = kv(urlOf(join(folder, "data.json")));
  assert.deepEqual(await file.all(), { a: 1 });
  await file.set("b", 2);
  assert.deepEqual(await file.all(), { a: 1, b: 2 });
  const store = kv(folderUrl(folder));
  assert.deepEqual([await store.get("b"), await store.all()], [2, { b: 2 }]);
});

/** A member that another program wrote, with numbers that JavaScript would change. */
const TOUCHY = '{"expires":null,"value":[9007199254740993, 1.0, 1e400, -0, 0.10, "\\u0061}\\"", {"a":[]}]}';

test("members of a file that nobody sets keep their text", async () => {
  const path = freshPath();
  writeFileSync(
    path,
    `{ "touchy" : ${TOUCHY}\n, "other" :"dark","b":{"expires":null,"value":1}, "touchy2":[{"a":"]"}] }`,
  );
  const store = kv(urlOf(path));
  await store.set("b", 2);
  await store.set("__proto__", "c");
  await store.del("nothing");
  assert.equal(
    readFileSync(path, "utf8"),
    `{\n  "touchy": ${TOUCHY},\n  "other": "dark",\n  "b": {\n    "expires": null,\n    "value": 2\n  },\n  "touchy2": [{"a":"]"}],\n  "__proto__": {\n    "expires": null,\n    "value": "c"\n  }\n}`,
  );
});

for (const [name, place] of [
  ["a file", "data.json"],
  ["a folder", ""],
]) {
  test(`${name}: a number that JavaScript cannot hold is ERR_CORRUPT for its key, which can be set and deleted`, async () => {
    const folder = freshFolder();
    const write = (/** @type {string} */ key, /** @type {string} */ text) =>
      place
        ? writeFileSync(join(folder, place), `{"${key}":${text},"b":{"expires":null,"value":"1e400"}}`)
        : writeFileSync(join(folder, `${key}.json`), text);
    const url = place ? urlOf(join(folder, place)) : folderUrl(folder);
    const store = kv(url);
    await store.set("b", "1e400");
    for (const text of ["1e400", "-1E+400", '[1,{"a":1e309}]', `${"9".repeat(309)}`, `${"9".repeat(250)}e90`]) {
      write("a", `{"expires":null,"value":${text}}`);
      const failure = { code: "ERR_CORRUPT", message: /"a" has a number that JavaScript cannot hold/ };
      for (const call of [() => store.get("a"), () => store.all(), () => store.values()])
        await assert.rejects(call, failure, text);
      const [a, b] = await Promise.allSettled([store.get("a"), store.get("b")]);
      assert.deepEqual([a.status, b.status], ["rejected", "fulfilled"]);
      assert.deepEqual((await store.keys()).sort(), ["a", "b"]);
      const [, set] = await Promise.allSettled([store.get("a"), store.set("c", 1)]);
      assert.equal(set.status, "fulfilled");
      await store.del("c");
      await store.del("a");
      assert.deepEqual(await store.all(), { b: "1e400" });
      write("a", `{"expires":null,"value":${text}}`);
      await store.set("a", 1e300);
      assert.deepEqual(await store.all(), { a: 1e300, b: "1e400" });
    }
  });

  test(`${name}: a value that is nested deep is not indented, and 1,000 levels are the most`, async () => {
    const folder = freshFolder();
    const store = kv(place ? urlOf(join(folder, place)) : folderUrl(folder));
    const nested = (/** @type {number} */ levels) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    await store.set("few", nested(4));
    await store.set("more", nested(1000));
    assert.deepEqual(await store.get("more"), nested(1000));
    await assert.rejects(store.set("most", nested(1001)), { code: "ERR_VALUE", message: /1,000 levels/ });
    await assert.rejects(store.set("most", nested(100_000)), { code: "ERR_VALUE", message: /1,000 levels/ });
    const text = readFileSync(join(folder, place || "few.json"), "utf8");
    assert.ok(text.includes("[\n"));
    assert.ok(readFileSync(join(folder, place || "more.json"), "utf8").length < 3000);
  });
}

test("del() of a key that a file cannot hold is ERR_KEY, as of any other call", async () => {
  const store = kv(urlOf(freshPath()));
  for (const call of [() => store.del("\ud800"), () => store.get("\ud800"), () => store.set("\ud800", 1)])
    await assert.rejects(call, { code: "ERR_KEY" });
});

test("a file that is no store can be closed", async () => {
  const path = freshPath();
  writeFileSync(path, "[");
  const store = kv(urlOf(path));
  await assert.rejects(store.get("a"), { code: "ERR_CORRUPT" });
  await store.close();
});

test("a thousand files and folders that are idle hold few descriptors, and lose nothing", async () => {
  const folder = freshFolder();
  const program = `
    const { readdirSync } = await import("node:fs");
    const urls = Array.from({ length: 500 }, (_, i) => [args[0] + i + ".json", args[0] + i + "/"]).flat();
    const stores = urls.map((url) => kv(url));
    await Promise.all(stores.map((store, i) => store.set("a", i)));
    for (const store of stores) await store.get("a");
    const open = readdirSync("/proc/self/fd").length;
    const same = (await Promise.all(stores.map((store) => store.get("a")))).every((value, i) => value === i);
    console.log(JSON.stringify({ few: open < 150, same }));`;
  assert.deepEqual(await runApart("ulimit -n 300", program, folderUrl(folder)), { few: true, same: true });
});

test("clear() of a folder leaves what another process has written since it was listed", async () => {
  const folder = freshFolder();
  const store = kv(folderUrl(folder));
  await store.set("a", "old");
  await store.set("b", "old");
  const { rename } = fs;
  fs.rename = (from, to) => {
    if (from === join(folder, "a.json")) writeFileSync(from, '{"expires":null,"value":"new"}');
    return rename(from, to);
  };
  syncBuiltinESMExports();
  try {
    await store.clear();
  } finally {
    fs.rename = rename;
    syncBuiltinESMExports();
  }
  assert.deepEqual(readdirSync(folder), ["a.json"]);
  assert.equal(await store.get("a"), "new");
});

for (const [name, place] of [
  ["a file", "data.json"],
  ["a folder", ""],
]) {
  test(`${name}: temporary files of processes that are certainly gone are removed, and no others`, async () => {
    const folder = freshFolder();
    const ours = await temporaryPath(folder);
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    const parts = ours.split("-");
    const withPart = (/** @type {number} */ i, /** @type {unknown} */ part) =>
      parts.with?.(i, String(part)).join("-") ?? [...parts.slice(0, i), part, ...parts.slice(i + 1)].join("-");
    const PID = parts.length - 3;
    const dead = withPart(PID, gone);
    const elsewhere = withPart(PID - 1, "0".repeat(16));
    const elsewhereOld = withPart(PID - 1, "1".repeat(16));
    const other = join(folder, ".polystore-notes.tmp");
    for (const path of [ours, dead, elsewhere, elsewhereOld, other]) writeFileSync(path, "");
    utimesSync(elsewhereOld, 1, 1);
    utimesSync(other, 1, 1);
    await kv(place ? urlOf(join(folder, place)) : folderUrl(folder)).set("a", 1);
    assert.deepEqual([ours, dead, elsewhere, elsewhereOld, other].map(existsSync), [true, false, true, false, true]);
  });
}

test("a file is replaced by one of its own mode", async () => {
  const path = freshPath();
  writeFileSync(path, "", { mode: 0o600 });
  await replaceFile(path, "text");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});
