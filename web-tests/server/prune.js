import assert from "node:assert/strict";

/**
 * Checks that prune() removes what has expired, of its prefix, and says how much that was.
 * @param {any} store An empty one.
 */
export async function checkPrune(store) {
  await store.prefix("p:").set("gone", 1, { expires: 1 });
  await store.set("gone", 1, { expires: 1 });
  await store.set("stays", 1);
  const realNow = Date.now;
  Date.now = () => realNow() + 2000;
  try {
    assert.equal(await store.prefix("p:").prune(), 1);
    assert.equal(await store.prune(), 1);
  } finally {
    Date.now = realNow;
  }
}
