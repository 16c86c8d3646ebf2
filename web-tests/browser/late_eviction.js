/**
 * Finds an expired record in one tab while another writes at its key, and gives what both calls and a later one resolve with.
 * @param {any} client Over an empty storage.
 */
export async function evictLate(client) {
  // A second copy of the module knows as little of the first as another tab's does.
  const [ours, theirs] = await Promise.all(["/dist/index.js", "/dist/index.js?other"].map((url) => import(url)));
  const [store, other] = [ours.default(client), theirs.default(client)];
  await store.set("a", "old", { expires: "1 hour" });
  await other.get("a");
  const realNow = Date.now;
  Date.now = () => realNow() + 7_200_000;
  // In this order: we find the old record expired, the other writes, we remove the old record.
  const values = await Promise.all([store.get("a"), other.set("a", "new")]);
  Date.now = realNow;
  return [...values, await store.get("a")];
}
