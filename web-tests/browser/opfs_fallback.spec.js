// The database that stands in for a log where there is no private file system: it holds what the log can hold, or what is moved
// over to it would be lost.

import { expect } from "@playwright/test";
import { test } from "./page.js";

/** What calls with a key give that has half of a surrogate pair. */
async function callWithHalves(/** @type {string} */ log) {
  const store = window.kv(/** @type {`opfs:${string}`} */ (log));
  await store.set("\ufffd", 0);
  const calls = ["\ud800", "\udfff", "a\ud83d"].flatMap((key) => [
    store.set(key, 1),
    store.get(key),
    store.has(key),
    store.del(key),
  ]);
  const results = await Promise.allSettled(calls);
  return {
    errors: results.map((result) => (result.status === "rejected" ? `${result.reason.code} ${result.reason}` : "none")),
    all: await store.all(),
    half: await store.prefix("\ud83d").keys(),
    type: store.type,
  };
}

for (const type of ["OPFS", "INDEXEDDB"]) {
  test(`a key with a lone surrogate is ERR_KEY, in ${type}`, async ({ tab }, { testId }) => {
    if (type === "INDEXEDDB") {
      await tab.evaluate(() => {
        window.Worker = /** @type {any} */ (
          class extends Worker {
            constructor() {
              super("/web-tests/browser/opfs_refused.worker.js");
            }
          }
        );
      });
    }
    const { errors, ...rest } = await tab.evaluate(callWithHalves, `opfs:${testId}`);
    expect(errors).toEqual(
      errors.map(() => expect.stringMatching(/^ERR_KEY .*The key ".*" has a lone surrogate, which a log cannot hold/)),
    );
    expect(rest).toEqual({ all: { "\ufffd": 0 }, half: [], type });
  });
}
