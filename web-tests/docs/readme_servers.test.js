// The README's examples for servers, each run as a program against the real thing.

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
import { blocksOf, isForServers, promised } from "./blocks.js";
import { linesOf } from "./program.js";

const isTest = (/** @type {string} */ code) => code.includes('from "node:test"');
const programs = blocksOf("js").filter((code) => isForServers(code) && !isTest(code));
const isWorker = (/** @type {string} */ code) => code.includes("export default");

const [redis, postgres, etcd] = await Promise.all([startRedis(), startPostgres(), startEtcd()]);
// In this folder, for there they find the packages, and this one by its name.
const folder = mkdtempSync(join(process.cwd(), "build", "readme-"));
after(async () => {
  await Promise.all([redis.stop(), postgres.stop(), etcd.stop()]);
  rmSync(folder, { recursive: true });
});

test("each storage of a server has an example", () => {
  assert.equal(programs.length, 9);
});

for (const [i, code] of programs.filter((program) => !isWorker(program)).entries()) {
  test(code.split("\n")[0], async () => {
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
  const [code] = programs.filter(isWorker);
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

test("the contract holds for the client that the README tests", async () => {
  const [code] = blocksOf("js").filter(isTest);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }; // With it, Node would report to this test in its own format.
  const program = join(folder, "contract.mjs");
  writeFileSync(program, code);
  const { stdout } = await promisify(execFile)("node", ["--test-reporter=tap", program], { cwd: folder, env });
  assert.match(stdout, /^# fail 0$/m);
  assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]) > 300, stdout.slice(-200));
});
