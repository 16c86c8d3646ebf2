// The examples for servers, each run as a program against the real thing.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { startEtcd } from "../support/etcd.js";
import { startPostgres } from "../support/postgres.js";
import { startRedis } from "../support/redis.js";
import { startWorker } from "../support/workerd.js";
import { blocksOf, isForServers, nameOf, promised } from "./blocks.js";
import { linesOf } from "./program.js";

const isTest = (/** @type {import("./blocks.js").Block} */ { code }) => code.includes('from "node:test"');
const isWorker = (/** @type {import("./blocks.js").Block} */ { code }) => code.includes("export default");
const programs = blocksOf("js").filter((block) => isForServers(block) && !isTest(block));

const [redis, postgres, etcd] = await Promise.all([startRedis(), startPostgres(), startEtcd()]);
// In this folder, for there they find the packages, and this one by its name.
const folder = mkdtempSync(join(process.cwd(), "build", "docs-"));
after(async () => {
  await Promise.all([redis.stop(), postgres.stop(), etcd.stop()]);
  rmSync(folder, { recursive: true });
});

test("each storage of a server has an example", () => {
  const without = [
    "file-and-folder",
    "log",
    "redis",
    "level",
    "sqlite",
    "postgres",
    "etcd",
    "cloudflare-kv",
    "http",
  ].filter((name) => !programs.some(({ path }) => path === `docs/storages/${name}.md`));
  assert.deepEqual(without, []);
});

for (const [i, block] of programs.filter((program) => !isWorker(program)).entries()) {
  const { code } = block;
  test(nameOf(block), async () => {
    const env = {
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      DATABASE_URL: postgres.url,
      ETCD_URL: etcd.url,
    };
    assert.deepEqual(await linesOf(join(folder, `${i}.mjs`), code, env), promised(code));
    assert.ok(promised(code).length > 0);
  });
}

test("the Worker counts its visits", async () => {
  const [{ code }] = programs.filter(isWorker);
  writeFileSync(join(folder, "worker.js"), code);
  const { worker, stop } = await startWorker("worker.js", folder);
  try {
    for (const count of [1, 2]) {
      const response = await worker.dispatchFetch("http://worker/");
      assert.deepEqual(await response.json(), { count });
    }
  } finally {
    await stop();
  }
});

test("the contract holds for the client that the page about own clients tests", async () => {
  const [{ code }] = blocksOf("js").filter(isTest);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }; // With it, Node would report to this test in its own format.
  const program = join(folder, "contract.mjs");
  writeFileSync(program, code);
  const { stdout } = await promisify(execFile)("node", ["--test-reporter=tap", program], { cwd: folder, env });
  assert.match(stdout, /^# fail 0$/m);
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 300, stdout.slice(-200));
});
