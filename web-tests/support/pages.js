import assert from "node:assert/strict";

/**
 * @param {import("../../js/core/client.js").Client} client
 * @param {string} id
 * @param {unknown} value
 */
async function put(client, id, value) {
  if (!client.commit) return client.put?.(id, value, null, 0);
  assert.deepEqual(await client.commit([{ expected: [], changes: [{ id, value, expires: null }] }], 0), [true]);
}

/**
 * Writes 60 values of 300 KB and goes through them by a client's pages, as an iteration does.
 * @param {import("../../js/core/client.js").Client} client
 * @returns {Promise<{ found: number, first: number, largest: number }>} How many were found; and how many characters the values of
 *   the first page have, and those of the largest page behind it.
 */
export async function goThroughLarge(client) {
  const value = "v".repeat(300_000);
  for (let i = 0; i < 60; ++i) await put(client, `key ${i}`, value);
  const pages = /** @type {AsyncGenerator<import("../../js/core/client.js").Page>} */ (
    client.scan?.({ prefix: "" }, "stream")
  );
  let found = 0;
  const sizes = [];
  for await (const page of pages) {
    found += page.found.length;
    sizes.push(JSON.stringify(page.found).length);
  }
  return { found, first: sizes[0], largest: Math.max(...sizes.slice(1)) };
}
