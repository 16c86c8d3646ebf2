// What lies in a storage, byte for byte: data written by polystore 0.27 is read, and the other way round.

import { equals, equalsInAnyOrder, holds, rejects, throws } from "../../../js/contract/assert.js";

/** Numbers that JavaScript cannot hold, as JSON of another program may have them. */
const TOO_LARGE = ["1e400", "-1E+400", '[1,{"a":1e309}]', "9".repeat(309), `${"9".repeat(250)}e90`];

/** What another program stored as JSON. @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const storedJson = {
  "JSON: a number that JavaScript cannot hold is ERR_CORRUPT for its key alone, which can be set and deleted": async ({
    store,
    client,
    subject,
  }) => {
    await store.set("b", "1e400");
    for (const json of TOO_LARGE) {
      await subject.putJson?.(client, "a", json);
      const failure = { code: "ERR_CORRUPT", says: '"a" has a number that JavaScript cannot hold' };
      await rejects(store.get("a"), failure, `get() of ${json}`);
      await rejects(store.all(), failure, `all() with ${json}`);
      await rejects(store.values(), failure, `values() with ${json}`);
      const together = [store.get("a"), store.get("b"), store.set("c", 1)];
      equals(
        (await Promise.allSettled(together)).map(({ status }) => status),
        ["rejected", "fulfilled", "fulfilled"],
        `what calls in one tick with a get() of ${json} come to`,
      );
      equalsInAnyOrder(await store.keys(), ["a", "b", "c"]);
      await store.del("a");
      equals(await store.all(), { b: "1e400", c: 1 });
      await subject.putJson?.(client, "a", json);
      await store.set("a", 1e300);
      equals(await store.all(), { a: 1e300, b: "1e400", c: 1 });
      await store.del("c");
    }
  },
};

/** @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const inMap = {
  "Map: holds { expires, value } under the full key": async ({ store, client, subject }) => {
    await store.set("a", { b: 1 });
    await store.prefix("s:").set("a", "text", { expires: "10s" });
    equals(
      [...client],
      [
        ["a", { expires: null, value: { b: 1 } }],
        ["s:a", { expires: subject.clock.now + 10000, value: "text" }],
      ],
    );
    await store.del("a");
    equals([...client.keys()], ["s:a"]);
  },

  "Map: reads what is in it already": async ({ store, client, subject, advance }) => {
    client.set("a", { expires: null, value: [1] });
    client.set("b", { expires: subject.clock.now + 1000, value: 2 });
    client.set("c", { value: 3, expires: subject.clock.now - 1 });
    equals(await store.all(), { a: [1], b: 2 });
    advance(1000);
    equals(await store.all(), { a: [1] });
    equals([...client.keys()], ["a"], "what is left in the Map");
  },

  "Map: keys that are no texts are left alone": async ({ store, client }) => {
    const key = {};
    const record = { expires: null, value: 1 };
    for (const foreign of [key, 42, Symbol("s"), null, undefined]) client.set(foreign, record);
    await store.set("a", 1);
    equals(await store.entries(), [["a", 1]]);
    await store.clear();
    equals([client.size, client.get(key) === record], [5, true]);
    equals(await store.get("42"), null, 'what get("42") gives');
  },

  "Map: a Map with a method of its own, and one with other people's fields, are Maps": async ({ kv }) => {
    class Own extends Map {
      query() {}
    }
    const map = Object.assign(new Own(), { prepare() {}, exec() {}, list() {} });
    equals(kv(map).type, "MEMORY", "the type");
    await kv(map).set("a", 1);
    equals([...map.keys()], ["a"]);
  },
};

/** @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const inStorage = {
  "Storage: an item is the JSON of a record, without a blank": async ({ store, client, subject }) => {
    await store.set("a", { b: [1, "c d"] });
    await store.prefix("s:").set("a", "x", { expires: "10s" });
    equals(client.getItem("a"), '{"expires":null,"value":{"b":[1,"c d"]}}');
    equals(client.getItem("s:a"), `{"expires":${subject.clock.now + 10000},"value":"x"}`);
    equals(client.length, 2, "the number of items");
  },

  "Storage: reads the records of polystore 0.27": async ({ store, client, subject, advance }) => {
    client.setItem("a", JSON.stringify({ expires: null, value: { b: [1] } }, null, 2));
    client.setItem("b", JSON.stringify({ expires: subject.clock.now + 1000.5, value: 2 }, null, 2));
    equals(await store.all(), { a: { b: [1] }, b: 2 });
    advance(1001);
    equals(await store.all(), { a: { b: [1] } });
    equals(client.getItem("b"), null, "the expired item");
  },

  "Storage: items with the names of methods change nothing": async ({ kv, client }) => {
    for (const name of ["getWithMetadata", "get", "set", "list", "delete", "query", "prepare", "exec", "then"]) {
      client.setItem(name, "1");
    }
    equals(kv(client).type, "STORAGE", "the type");
    await kv(client).set("a", 1);
    equals(await kv(client).all(), { a: 1 });
  },

  "Storage: what does not fit is refused, and what was there is kept": async ({ store, client }) => {
    await store.set("a", "small");
    await store.set("b", 1);
    const large = "x".repeat(11 * 1024 * 1024);
    await rejects(store.set("a", large), { code: "ERR_QUOTA" }, "set() of 11 M characters");
    await rejects(store.add(large), { code: "ERR_QUOTA" }, "add() of 11 M characters");
    await store.set("a", large).catch((/** @type {any} */ { cause }) => {
      equals(cause?.name, "QuotaExceededError", "the name of the cause");
    });
    equals(await store.all(), { a: "small", b: 1 });
    equals(client.length, 2, "the number of items");
  },

  "Storage: prune() makes room": async ({ store, advance }) => {
    const half = "x".repeat(2 * 1024 * 1024);
    await store.set("old", half, { expires: "1s" });
    await store.set("old too", "x", { expires: "1s" });
    advance(1000);
    equals(await store.prune(), 2);
    await store.set("new", half);
    await store.set("newer", half.slice(1000));
    equals((await store.keys()).length, 2, "the number of keys");
  },
};

/** @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const inCookies = {
  "cookies: hold the JSON of the value, percent-encoded, under the encoded key": async ({ store }) => {
    await store.set("a b", { c: [1, "d;e"] });
    equals(document.cookie, `a%20b=${encodeURIComponent('{"c":[1,"d;e"]}')}`);
    await store.del("a b");
    equals(document.cookie, "");
  },

  "cookies: read what polystore 0.27 wrote": async ({ store }) => {
    document.cookie = `a=${encodeURIComponent(JSON.stringify({ b: [1] }, null, 2))}`;
    document.cookie = "c=5";
    equals(await store.all(), { a: { b: [1] }, c: 5 });
  },

  "cookies: one that other code wrote over ours has no expiry of ours": async ({ store, advance }) => {
    await store.set("a", 1, { expires: "1500ms" });
    document.cookie = "a=2; path=/";
    advance(1500);
    equals(await store.get("a"), 2);
  },

  "cookies: an expiry beyond 400 days is cut to that": async ({ store, advance }) => {
    await store.set("a", 1, { expires: "100 years" });
    advance(400 * 24 * 3600 * 1000 - 1);
    equals(await store.get("a"), 1);
    advance(1);
    equals(await store.get("a"), null);
  },

  "cookies: what holds for them is checked when they are wrapped": ({ kv }) => {
    const refused = [true, null, { path: "shop" }, { path: "/a;b" }, { domain: "a b" }, { sameSite: "Lax" }];
    for (const cookie of [...refused, { secure: 1 }, { partitioned: "yes" }, { maxAge: 1 }]) {
      throws(
        () => kv("cookie", { cookie }),
        { code: "ERR_OPTIONS", says: "cookie" },
        `cookie: ${JSON.stringify(cookie)}`,
      );
    }
    throws(() => kv(new Map(), { cookie: {} }), { code: "ERR_OPTIONS", says: 'kv("cookie")' }, "cookie over a Map");
  },

  "cookies: one that is too large is refused, and what was there is kept": async ({ store }) => {
    await store.set("a", "small");
    await rejects(store.set("a", "x".repeat(5000)), { code: "ERR_QUOTA" }, "set() of 5,000 characters");
    equals(await store.all(), { a: "small" });
  },

  "cookies: none is lost when there are too many": async ({ store }) => {
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const outcomes = await Promise.allSettled(keys.map((key, i) => store.set(key, i)));
    const taken = keys.filter((_, i) => outcomes[i].status === "fulfilled");
    holds(taken.length >= 50, `${taken.length} cookies were taken, which are 50 or more`);
    equals((await store.keys()).sort(), [...taken].sort(), "the keys");
  },

  'cookies: "cookies" is the same as "cookie"': async ({ kv, store }) => {
    await kv("cookies").set("a", 1);
    equals([kv("cookies").type, await store.get("a")], ["COOKIE", 1]);
    throws(() => kv("cookie-jar"), { code: "ERR_CLIENT", says: "cookie-jar" }, 'kv("cookie-jar")');
  },
};
