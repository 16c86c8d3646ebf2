/**
 * Writes values of 300 KB and goes through them by a client's pages, as an iteration does.
 * @param {import("../../js/core/client.js").Client} client
 * @param {number} [count] How many values.
 * @returns {Promise<{ found: number, largest: number }>} How many were found, and the characters of the largest page's values.
 */
export async function goThroughLarge(client, count = 12) {
  const value = "v".repeat(300_000);
  for (let i = 0; i < count; ++i) await client.write(`key ${i}`, value, null);
  let found = 0;
  let largest = 0;
  const pages = /** @type {AsyncGenerator<import("../../js/core/client.js").Page>} */ (client.pages?.("", "stream"));
  for await (const page of pages) {
    found += page.ids.length;
    largest = Math.max(largest, JSON.stringify(page.found).length);
  }
  return { found, largest };
}
