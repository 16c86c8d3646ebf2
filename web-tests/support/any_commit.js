// Commits of any kind over a client: several expectations and several changes, all of them or none. It runs in Node and in pages.

/** @typedef {import("../../js/core/client.js").Client} Client */
/** @typedef {import("../../js/core/client.js").Commit} Commit */
/** @typedef {import("../../js/core/client.js").Change} Change */
/** @typedef {import("../../js/support/record.js").StoredRecord} StoredRecord */

/**
 * Makes commits. A page gets the source of this function, so it uses nothing from outside.
 * @param {Client} client It may hold anything, except keys with `prefix`.
 * @param {string} [prefix]
 * @returns {Promise<[name: string, result: unknown, expected: unknown][]>} The result of each case, and what it must be.
 */
export async function makeCommits(client, prefix = "any commit:") {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => prefix + key);
  const soon = Date.now() + 1_000_000;
  const managesExpiry = client.traits.can.includes("manages_expiry");
  /** The expiry that a read shows: none, if the storage manages expiry. @param {number | null} expires */
  const shown = (expires) => (managesExpiry ? null : expires);
  const value = { text: "é😀", list: [1, { deep: null }] };
  /** @type {[string, unknown, unknown][]} */
  const results = [];

  const read = async (/** @type {string} */ id) => /** @type {StoredRecord | null} */ ((await client.read(id)) ?? null);
  const put = (/** @type {string} */ id, /** @type {any} */ value, /** @type {number | null} */ expires = null) => ({
    id,
    value,
    expires,
  });
  /** Expects that a key still has what it has now. @param {string} id */
  const asNow = async (id) => ({ id, found: await read(id) });
  const absent = (/** @type {string} */ id) => ({ id, found: null });
  /** @param {Commit[]} commits */
  const commit = async (...commits) => {
    const outcomes = (await client.commit?.(commits, Date.now())) ?? [];
    return outcomes.map((outcome) => (typeof outcome === "object" ? outcome.error : outcome));
  };
  /** The values and expiries of some keys. @param {string[]} ids */
  const stateOf = async (...ids) => {
    const records = await Promise.all(ids.map(read));
    return records.map((record) => record && [record.value, record.expires]);
  };
  const check = (/** @type {string} */ name, /** @type {unknown} */ result, /** @type {unknown} */ expected) => {
    results.push([name, result, expected]);
  };

  const several = [put(a, 1), put(b, value, soon), put(c, "c")];
  check("several changes", await commit({ expected: [], changes: several }), [true]);
  check("are made", await stateOf(a, b, c, d), [[1, null], [value, shown(soon)], ["c", null], null]);

  const all = [await asNow(a), await asNow(b), await asNow(c), absent(d)];
  const changes = [put(a, 2), put(b, value, soon + 1000), { id: c }, put(d, "d", soon)];
  check("several expectations that hold", await commit({ expected: all, changes }), [true]);
  const made = [[2, null], [value, shown(soon + 1000)], null, ["d", shown(soon)]];
  check("put, renew, remove and create at once", await stateOf(a, b, c, d), made);

  const isRefused = async (
    /** @type {string} */ name,
    /** @type {import("../../js/core/client.js").Expectation} */ one,
  ) => {
    const now = await Promise.all([a, b, d].filter((id) => id !== one.id).map(asNow));
    const refused = { expected: [...now, one], changes: [put(a, 0), { id: b }, put(c, 0), put(d, 0)] };
    check(`${name} is refused`, await commit(refused), [false]);
    check(`${name} changes nothing`, await stateOf(a, b, c, d), made);
  };
  await isRefused("an absent record that is there", absent(b));
  await isRefused("a record that is gone", /** @type {any} */ ({ id: c, found: all[2].found }));
  if (!managesExpiry)
    await isRefused("a record with another expiry", /** @type {any} */ ({ id: b, found: all[1].found }));
  await isRefused("a record with another value", /** @type {any} */ ({ id: a, found: all[0].found }));

  const onlyExpected = { expected: [await asNow(a), absent(c)], changes: [put(c, 1, soon)] };
  check("a change of a key beside the expected one", await commit(onlyExpected), [true]);
  check("is made", await stateOf(a, c), [
    [2, null],
    [1, shown(soon)],
  ]);
  const compared = { expected: [await asNow(a)], changes: [] };
  check("a commit without changes tells whether its expectations hold", await commit(compared), [true]);
  const lastOfKey = { expected: [], changes: [put(c, 1), { id: c }, put(c, 2), put(d, 3), { id: d }] };
  check("several changes of one key", await commit(lastOfKey), [true]);
  check("take place in their order", await stateOf(c, d), [[2, null], null]);

  const outcomes = await commit(
    { expected: [await asNow(a)], changes: [put(a, 5)] },
    { expected: [absent(b)], changes: [put(b, 5)] },
    { expected: [], changes: [{ id: c }, put(d, 5)] },
  );
  check("each commit has its own outcome", outcomes, [true, false, true]);
  check("and a refused one stops no other", await stateOf(a, b, c, d), [[5, null], made[1], null, [5, null]]);

  const counters = Array.from({ length: 120 }, (_, i) => `${prefix}${i}`);
  const isOdd = (/** @type {number} */ i) => i % 2 === 1;
  await commit({ expected: [], changes: counters.filter((_, i) => isOdd(i)).map((id) => put(id, 0)) });
  const created = counters.map((id) => ({ expected: [absent(id)], changes: [put(id, 1)] }));
  check(
    "many commits",
    await commit(...created),
    counters.map((_, i) => !isOdd(i)),
  );
  check(
    "are made as they say",
    await stateOf(...counters),
    counters.map((_, i) => [isOdd(i) ? 0 : 1, null]),
  );

  const found = await asNow(a);
  const racing = [6, 7, 8].map((value) => commit({ expected: [found], changes: [put(a, value)] }));
  check("of the calls of one tick the first is made", await Promise.all(racing), [[true], [false], [false]]);
  check("and no other", await stateOf(a), [[6, null]]);

  await commit({ expected: [], changes: [a, b, c, d, ...counters].map((id) => ({ id })) });
  check(
    "removals",
    await stateOf(a, b, c, d, ...counters),
    [a, b, c, d, ...counters].map(() => null),
  );
  return results;
}
