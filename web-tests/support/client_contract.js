// What a client owes the core, beyond what the public methods show: see js/core/client.d.ts.
import assert from "node:assert/strict";

/** @typedef {import("../../js/core/client.js").Client} Client */
/** @typedef {import("../../js/core/client.js").Range} Range */

/** In the order of their code points. That of their UTF-16 units would have the last one before the two others at the end. */
const KEYS = ["", "a", "a\u0001", "ab", "b", "é", "ퟻ", "\ue000", "\uffff", "😀"];
const PREFIX = "client contract:";

/**
 * @param {Client} client
 * @param {string} id
 * @param {unknown} value
 * @param {number | null} [expires]
 */
export async function put(client, id, value, expires = null) {
  const now = Date.now();
  if (!client.commit) return client.put?.(id, value, expires, now);
  assert.deepEqual(await client.commit([{ expected: [], changes: [{ id, value, expires }] }], now), [true]);
}

/**
 * @param {Client} client
 * @param {string} id
 */
export async function remove(client, id) {
  if (!client.commit) return client.remove?.(id);
  assert.deepEqual(await client.commit([{ expected: [], changes: [{ id }] }], Date.now()), [true]);
}

/**
 * @param {Client} client
 * @param {Range} range
 * @param {import("../../js/core/client.js").Wanted} wanted
 */
async function scanned(client, range, wanted) {
  const ids = [];
  const pages = /** @type {AsyncGenerator<import("../../js/core/client.js").Page>} */ (client.scan?.(range, wanted));
  for await (const page of pages) {
    assert.equal(page.found.length, page.ids.length);
    // What is not a record is passed over by the driver.
    ids.push(...page.ids.filter((_, i) => page.found[i]));
  }
  return ids.map((id) => id.slice(PREFIX.length));
}

/**
 * Checks that a client lists what a range asks for, in the order of code points.
 * @param {Client} client
 */
export async function checkScan(client) {
  for (const key of [...KEYS].reverse()) await put(client, PREFIX + key, key);
  await put(client, "another", 1);
  for (const wanted of /** @type {const} */ (["keys", "entries", "stream"])) {
    /** @type {(range: Omit<Range, "prefix">) => Promise<string[]>} */
    const list = (range) => scanned(client, { prefix: PREFIX, ...range }, wanted);
    assert.deepEqual(new Set(await list({})), new Set(KEYS), wanted);
    assert.deepEqual(await list({ reverse: false, limit: 100 }), KEYS, wanted);
    assert.deepEqual(await list({ reverse: true }), [...KEYS].reverse(), wanted);
    for (const [i, key] of KEYS.entries()) {
      const id = PREFIX + key;
      assert.deepEqual(await list({ gte: id }), KEYS.slice(i), `${wanted} gte ${key}`);
      assert.deepEqual(await list({ gt: id, limit: 2 }), KEYS.slice(i + 1, i + 3), `${wanted} gt ${key}`);
      assert.deepEqual(await list({ lt: id }), KEYS.slice(0, i), `${wanted} lt ${key}`);
      assert.deepEqual(
        await list({ lte: id, reverse: true, limit: 3 }),
        KEYS.slice(0, i + 1)
          .reverse()
          .slice(0, 3),
      );
    }
    assert.deepEqual(await list({ gte: `${PREFIX}ab`, gt: `${PREFIX}b`, lt: `${PREFIX}é` }), ["ab", "b"], wanted);
    assert.deepEqual(await list({ gt: `${PREFIX}b`, lt: `${PREFIX}a` }), [], wanted);
    assert.deepEqual(await list({ limit: 0 }), [], wanted);
    assert.deepEqual(await list({ gt: "zzz" }), [], wanted);
  }
  for (const key of KEYS) await remove(client, PREFIX + key);
  await remove(client, "another");
}

/**
 * Checks that a client makes a commit only where what it expects is still there.
 * @param {Client} client
 */
export async function checkCommit(client) {
  const [one, other, third] = ["one", "other", "third"].map((key) => PREFIX + key);
  const soon = Date.now() + 1_000_000;
  await put(client, one, 1, soon);
  await put(client, other, 2, soon);
  const found = /** @type {any[]} */ (await Promise.all([client.read(one), client.read(other)]));
  await put(client, other, 3, soon + 1000);
  const removal = (/** @type {string} */ id, /** @type {any} */ found) => ({
    expected: [{ id, found }],
    changes: [{ id }],
  });
  const commits = [removal(one, found[0]), removal(other, found[1]), removal(third, found[0])];
  assert.deepEqual(await client.commit?.(commits, Date.now()), [true, false, false]);
  assert.equal((await client.read(one)) ?? null, null);
  assert.equal(/** @type {any} */ (await client.read(other)).value, 3);
  await remove(client, other);
  if (client.commit) assert.deepEqual(await client.commit([{ expected: [], changes: [] }], Date.now()), [true]);
}

/**
 * Checks that of the commits of one tick one that cannot be made fails alone.
 * @param {Client} client
 */
export async function checkFailsAlone(client) {
  const [one, bad, other] = ["one", "bad", "other"].map((key) => PREFIX + key);
  const putting = (/** @type {string} */ id, /** @type {unknown} */ value) => ({
    expected: [{ id, found: null }],
    changes: [{ id, value, expires: null }],
  });
  const unfit = {
    toJSON() {
      throw new RangeError("This value does not fit.");
    },
  };
  const commits = [putting(one, 1), putting(bad, unfit), putting(other, 2)];
  const results = await Promise.allSettled(commits.map(async (commit) => client.commit?.([commit], Date.now())));
  const outcomes = results.map((result) => (result.status === "fulfilled" ? result.value?.[0] : result.reason));
  assert.ok((outcomes[1]?.error ?? outcomes[1]) instanceof Error, String(outcomes[1]));
  assert.deepEqual([outcomes[0], outcomes[2]], [true, true]);
  const found = /** @type {any[]} */ (await Promise.all([one, bad, other].map((id) => client.read(id))));
  assert.deepEqual([found[0].value, found[1] ?? null, found[2].value], [1, null, 2]);
  for (const id of [one, other]) await remove(client, id);
}

/**
 * Checks commits of one key with an expectation.
 * @param {Client} client
 */
export async function checkOneKey(client) {
  const [id, other] = ["one key", "another key"].map((key) => PREFIX + key);
  /** @type {(found: any, value: unknown, expires?: number | null) => import("../../js/core/client.js").Commit} */
  const putting = (found, value, expires = null) => ({ expected: [{ id, found }], changes: [{ id, value, expires }] });
  const removing = (/** @type {any} */ found) => ({ expected: [{ id, found }], changes: [{ id }] });
  /** @param {import("../../js/core/client.js").Commit[]} commits */
  const commit = async (...commits) => client.commit?.(commits, Date.now());
  const read = async () => /** @type {any} */ ((await client.read(id)) ?? null);

  assert.deepEqual(await commit(putting(null, { list: [1, "é"] })), [true], "none is expected, and there is none");
  assert.deepEqual(await commit(putting(null, 2)), [false], "none is expected, but there is one");
  const first = await read();
  assert.deepEqual(first.value, { list: [1, "é"] }, "a refused commit changes nothing");
  assert.deepEqual(await commit(putting(first, { list: [2, "é"] })), [true], "the record as it was found");
  assert.deepEqual(await commit(putting(first, 3)), [false], "a record with another value");
  assert.deepEqual(await commit(removing(first)), [false], "the removal of a record with another value");
  const second = await read();
  assert.deepEqual(second.value, { list: [2, "é"] });
  assert.deepEqual(
    await commit({ expected: [{ id, found: second }], changes: [] }),
    [true],
    "a commit without changes",
  );

  const soon = Date.now() + 1_000_000;
  const outcomes = await commit(putting(second, 3, soon), {
    expected: [{ id: other, found: second }],
    changes: [{ id: other, value: 1, expires: null }],
  });
  assert.deepEqual(outcomes, [true, false], "each commit has its outcome");
  const third = await read();
  assert.equal(third.value, 3);
  if (!client.traits.can.includes("manages_expiry")) {
    assert.equal(third.expires, soon);
    await put(client, id, 3, soon + 1000);
    assert.deepEqual(await commit(removing(third)), [false], "a record with another expiry");
  }
  assert.deepEqual(await commit(removing(await read())), [true]);
  assert.deepEqual(await commit(removing(third)), [false], "a record that is gone");
  assert.deepEqual(await commit(removing(null)), [true], "the removal of what is not there");
  assert.equal(await read(), null);
}

/**
 * Checks that a commit of several keys is refused, and changes nothing, if the storage cannot make it in one step.
 * @param {Client} client
 */
export async function checkRefusesSeveral(client) {
  const changes = ["one", "other"].map((key) => ({ id: PREFIX + key, value: 1, expires: null }));
  const outcomes = await client.commit?.([{ expected: [], changes }], Date.now());
  assert.match(String(/** @type {any} */ (outcomes?.[0]).error.message), /cannot change .* in one step/);
  assert.equal(/** @type {any} */ (outcomes?.[0]).error.code, "ERR_UNSUPPORTED");
  for (const { id } of changes) assert.equal((await client.read(id)) ?? null, null);
}

/**
 * Checks that of the commits that several clients make at the same time, and that expect the same, exactly one is made.
 * @param {Client[]} clients Each one has a connection of its own.
 * @param {string[]} keys The keys that each commit expects and changes.
 */
export async function checkRaces(clients, keys) {
  const ids = keys.map((key) => PREFIX + key);
  for (const id of ids) await remove(clients[0], id);
  for (let round = 0; round < 20; ++round) {
    const found = await Promise.all(
      clients.map((client) => Promise.all(ids.map(async (id) => /** @type {any} */ ((await client.read(id)) ?? null)))),
    );
    const outcomes = await Promise.all(
      clients.map(async (client, i) => {
        const commit = {
          expected: ids.map((id, k) => ({ id, found: found[i][k] })),
          changes: ids.map((id) => (round % 4 === 3 ? { id } : { id, value: [round, i], expires: null })),
        };
        const outcomes = await client.commit?.([commit], Date.now());
        return outcomes?.[0];
      }),
    );
    const winner = outcomes.indexOf(true);
    assert.deepEqual(outcomes.toSorted(), [...clients.slice(1).map(() => false), true], `round ${round}`);
    for (const id of ids) {
      const record = /** @type {any} */ (await clients[0].read(id));
      if (round % 4 === 3) assert.equal(record ?? null, null);
      else assert.deepEqual(record.value, [round, winner]);
    }
  }
}
