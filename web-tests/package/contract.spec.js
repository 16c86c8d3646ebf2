// What a stranger who writes a client does with the contract: from the tarball, in node:test, in Vitest and in a page.

import { spawnSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "@playwright/test";
import { expectToRun, test } from "./stranger.js";
import { installTools } from "./tools.js";

/**
 * A stranger's client that keeps records.
 * @param {string} set What set() does.
 */
const clientOf = (set) => `
  class Client {
    rows = new Map();
    get(key) {
      return this.rows.get(key);
    }
    set(key, record) {
      ${set}
    }
    async *iterate(prefix) {
      for (const [key, record] of this.rows) if (key.startsWith(prefix)) yield [key, record];
    }
  }`;
const CORRECT = clientOf("if (record === null) this.rows.delete(key); else this.rows.set(key, record);");
/** Does not delete. */
const FAULTY = clientOf("if (record !== null) this.rows.set(key, record);");
const BROKEN_CASE = "set: null deletes, and gives the key";

/**
 * @param {string} runner The module that has test().
 * @param {string} client
 */
const programOf = (runner, client) => `
  import { test } from "${runner}";
  import kv from "polystore-wasm";
  import { contract } from "polystore-wasm/contract";
  ${client}
  for (const { name, run } of contract({ kv, open: () => new Client() })) test(name, run);`;

test.describe("in node:test", () => {
  /**
   * @param {string} folder
   * @param {string} client
   */
  async function run(folder, client) {
    await writeFile(join(folder, "client.test.js"), programOf("node:test", client));
    const args = ["--test-reporter=tap", "client.test.js"];
    return spawnSync("node", args, { cwd: folder, encoding: "utf8" });
  }

  test("a correct client passes", async ({ folder }) => {
    const { status, stdout } = await run(folder, CORRECT);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(300);
    expect(status).toBe(0);
  });

  test("a faulty one fails, and the case that it breaks is named", async ({ folder }) => {
    const { status, stdout } = await run(folder, FAULTY);
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`^not ok \\d+ - ${BROKEN_CASE}$`, "m"));
    expect(stdout).toMatch(/^ok \d+ - set: gives the key$/m);
  });
});

test.describe("in Vitest", () => {
  test.describe.configure({ timeout: 180_000 });

  /** @type {string} */
  let vitest;
  test.beforeAll(async ({ folder }) => {
    test.setTimeout(600_000); // The first time, it downloads some 200 MB.
    vitest = dirname(installTools().resolve("vitest/package.json"));
    await symlink(vitest, join(folder, "node_modules/vitest"));
  });

  /**
   * @param {string} folder
   * @param {string} client
   * @returns {Promise<{ status: number | null, failed: number, passed: number, names: string[] }>} What the report says; the names are
   *   those of the tests that failed.
   */
  async function run(folder, client) {
    const root = join(folder, "vitest");
    await mkdir(root, { recursive: true });
    await writeFile(join(root, "client.test.js"), programOf("vitest", client));
    const args = [join(vitest, "vitest.mjs"), "run", "--reporter=json", "--root", root];
    const { status, stdout, stderr } = spawnSync("node", args, { cwd: folder, encoding: "utf8" });
    expect(stdout, stderr).toContain("numPassedTests");
    const { numFailedTests: failed, numPassedTests: passed, testResults } = JSON.parse(stdout);
    const [{ assertionResults }] = testResults;
    const names = assertionResults
      .filter((/** @type {{ status: string }} */ result) => result.status === "failed")
      .map((/** @type {{ title: string }} */ result) => result.title);
    return { status, failed, passed, names };
  }

  test("a correct client passes", async ({ folder }) => {
    const { status, failed, passed } = await run(folder, CORRECT);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(300);
    expect(status).toBe(0);
  });

  test("a faulty one fails, and the case that it breaks is named", async ({ folder }) => {
    const { status, passed, names } = await run(folder, FAULTY);
    expect(status).toBe(1);
    expect(names).toContain(BROKEN_CASE);
    expect(passed).toBeGreaterThan(100);
  });
});

for (const [what, client, failed] of [
  ["a correct client passes", CORRECT, false],
  ["a faulty one fails", FAULTY, true],
]) {
  test(`in a page, without a bundler, ${what}`, async ({ folder, chromiumContext }) => {
    const root = "/node_modules/polystore-wasm/dist";
    const page = `
      import kv from "${root}/index.js";
      import { contract } from "${root}/contract.js";
      ${client}
      let held = 0;
      const broken = [];
      for (const { name, run } of contract({ kv, open: () => new Client() })) {
        await run().then(() => ++held, () => broken.push(name));
      }
      document.title = JSON.stringify([held > 200, broken.includes("${BROKEN_CASE}"), broken.length > 0]);`;
    await mkdir(join(folder, "contract"), { recursive: true });
    await writeFile(join(folder, "contract/page.js"), page);
    await writeFile(
      join(folder, "contract/index.html"),
      '<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>',
    );
    const result = JSON.stringify([true, failed, failed]);
    await expectToRun(chromiumContext, folder, "contract/index.html", { result });
  });
}
