import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startWorker } from "../support/workerd.js";

const { worker, stop } = await startWorker("web-tests/server/cloudflare.worker.js");
after(stop);

/** @param {string} path */
const ask = async (path) => (await worker.dispatchFetch(`http://worker/${path}`)).json();

describe("in a Worker", async () => {
  const names = /** @type {string[]} */ (await ask(""));
  for (const [i, name] of names.entries()) {
    test(name, async (t) => {
      const { failure, note } = /** @type {{ failure?: string, note?: string }} */ (await ask(String(i)));
      assert.ok(failure === undefined, failure);
      if (note) t.diagnostic(note);
    });
  }
});
