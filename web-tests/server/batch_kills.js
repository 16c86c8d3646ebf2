// A batch in a program that is killed in the middle of it, at each call of the file system in turn: all of it is made, or none.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { failingDisk } from "../support/failing_disk.js";
import { filesFor } from "../support/files.js";
import { runApart } from "../support/run_apart.js";

/**
 * A storage in files.
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} file The name of its file.
 * @property {string} open A program that makes `client` for the file with the path `args[0]`.
 * @property {(path: string) => import("polystore-wasm").Store} store The same, here, with a store over it.
 * @property {RegExp} left The names of the files that may be there after the next change.
 */

const OLD = { kept: "as it was", changed: 1, removed: "soon" };
const NEW = { kept: "as it was", changed: 2, added: "x".repeat(1_000) };
const BATCH = `[["set", "changed", 2], ["del", "removed"], ["set", "added", "x".repeat(1_000)]]`;

/** @param {Kind[]} kinds */
export function testKilledBatches(kinds) {
  const { root, freshPath } = filesFor("batch-kills");
  const disk = failingDisk(root, "killing_disk");
  for (const { name, file, open, store, left } of kinds) {
    test(`${name}: of a batch that is killed, at whichever call of the file system, all is made or nothing`, async () => {
      /** How often nothing was made, and how often everything. */
      const counts = { old: 0, new: 0 };
      for (let at = 1, isWhole = false; !isWhole; ++at) {
        const folder = freshPath("");
        mkdirSync(folder);
        const path = join(folder, file);
        const before = store(path);
        await before.setMany(OLD);
        await before.close();
        const program = `${open}; console.log(await kv(client).batch(${BATCH}))`;
        const shell = `${disk} KILL_IN=${folder} KILL_AT=${at}`;
        isWhole = await runApart(shell, program, path).catch((error) => {
          assert.equal(error.signal, "SIGKILL", error);
          return false;
        });
        const after = store(path);
        const all = await after.all();
        const state = isWhole || "added" in all ? "new" : "old";
        assert.deepEqual(all, state === "new" ? NEW : OLD, `killed at call ${at}`);
        ++counts[state];
        await after.setMany(OLD);
        await after.close();
        assert.deepEqual(
          readdirSync(folder).filter((name) => !left.test(name)),
          [],
          `left by a kill at call ${at}`,
        );
      }
      assert.ok(counts.old > 3, `${counts.old} kills left nothing of the batch`);
    });
  }
}
