import { equals, equalsInAnyOrder, holds, isPromise, rejects, throws } from "../assert.js";

/** @type {import("./behaviour.js").Behaviours} */
export const calls = {
  "methods: are bound to their store, so that keys.map(store.del) works": async ({ store }) => {
    const keys = ["a", "b", "c"];
    for (const key of keys) await store.set(key, key);
    equals(await Promise.all(keys.map(store.get)), keys, "keys.map(store.get)");
    equals(await Promise.all(keys.map(store.has)), [true, true, true], "keys.map(store.has)");
    equals(await Promise.all(["a", "b"].map(store.del)), ["a", "b"], "keys.map(store.del)");
    const { get, set, add, has, del, keys: list, values, entries, all, clear, prune, prefix, expires, close } = store;
    equals(await set("d", 1), "d", "a detached set()");
    equals([await get("d"), await has("d"), await del("c")], [1, true, "c"], "detached get(), has() and del()");
    equals([await list(), await values(), await entries(), await all()], [["d"], [1], [["d", 1]], { d: 1 }]);
    equals([await prune(), prefix("d").PREFIX, expires("1m").EXPIRES], [0, "d", 60], "other detached methods");
    equals((await add(1)).length, 24, "the length of the key of a detached add()");
    equals([await clear(), await list(), await close()], [undefined, [], undefined], "detached clear() and close()");
  },

  "methods: are bound in sub-stores, each to its own": async ({ store }) => {
    const [a, b] = [store.prefix("a:"), store.prefix("b:")];
    await Promise.all([a.set, b.set].map((set, i) => set("k", i)));
    equals(await store.all(), { "a:k": 0, "b:k": 1 });
    equals(await Promise.all([a.get, b.get, store.get].map((get) => get("k"))), [0, 1, null]);
  },

  "methods: all but prefix() and expires() give promises": async ({ store }) => {
    const promises = [store.get("a"), store.set("a", 1), store.add(1), store.has("a"), store.del("a"), store.keys()];
    promises.push(store.values(), store.entries(), store.all(), store.clear(), store.prune());
    for (const [i, promise] of promises.entries()) holds(isPromise(promise), `call ${i} gives a promise`);
    for (const derived of [store.prefix("a:"), store.expires("1h")])
      holds(!isPromise(derived), "a store is no promise");
    await Promise.all(promises);
    const closing = store.close();
    holds(isPromise(closing), "close() gives a promise");
    await closing;
  },

  "methods: clear() and close() resolve with nothing": async ({ store }) => {
    await store.set("a", 1);
    equals(await store.clear(), undefined, "what clear() gives");
    equals(await store.prefix("a").clear(), undefined, "what clear() of a sub-store gives");
    equals(await store.close(), undefined, "what close() gives");
  },

  "methods: wrong arguments reject, and do not throw": async ({ store }) => {
    const bad = /** @type {any} */ (Symbol("bad"));
    const promises = [
      store.get(bad),
      store.set(bad, 1),
      store.has(bad),
      store.del(bad),
      store.set("a", 1, "1h"),
      store.add(1, 2),
    ];
    for (const [i, promise] of promises.entries()) holds(isPromise(promise), `call ${i} gives a promise`);
    const outcomes = await Promise.allSettled(promises);
    equals(
      outcomes.map(({ status }) => status),
      promises.map(() => "rejected"),
    );
  },

  "options: an unknown name is an error, and nothing is written": async ({ store }) => {
    await rejects(store.set("a", 1, { ttl: 1 }), { code: "ERR_OPTIONS", says: "ttl" }, "set() with { ttl }");
    // As it was called once: a value that was to expire must not stay for ever.
    await rejects(store.set("a", 1, { expire: 1 }), { code: "ERR_OPTIONS", says: "expires" }, "set() with { expire }");
    await rejects(store.set("a", null, { ttl: 1 }), { code: "ERR_OPTIONS", says: "ttl" }, "deleting with { ttl }");
    await rejects(
      store.add(1, { expires: 1, Expires: 1 }),
      { code: "ERR_OPTIONS", says: "Expires" },
      "add() with { Expires }",
    );
    equals(await store.keys(), []);
  },

  "options: a bare expiry is an error, and nothing is written": async ({ store }) => {
    await rejects(store.set("a", 1, "1h"), { code: "ERR_OPTIONS", says: "1h" }, 'set("a", 1, "1h")');
    await rejects(store.set("a", 1, 60), { code: "ERR_OPTIONS", says: "60" }, 'set("a", 1, 60)');
    await rejects(store.add(1, "1h"), { code: "ERR_OPTIONS", says: "1h" }, 'add(1, "1h")');
    for (const options of [[], ["1h"], new Date(0), new Map([["expires", 1]]), () => 1, true]) {
      const what = `options that are ${Object.prototype.toString.call(options)}`;
      await rejects(
        store.set("a", 1, options),
        { code: "ERR_OPTIONS", type: TypeError, says: "must be an object" },
        what,
      );
      await rejects(store.add(1, options), { code: "ERR_OPTIONS", type: TypeError, says: "must be an object" }, what);
    }
    equals(await store.keys(), []);
  },

  "prefix(), expires(): an argument that is missing is an error, as the store would be the whole one": async ({
    store,
  }) => {
    throws(() => store.prefix(), { code: "ERR_KEY", type: TypeError, says: "prefix is undefined" }, "prefix()");
    throws(() => store.prefix(null), { code: "ERR_KEY", type: TypeError, says: "prefix is null" }, "prefix(null)");
    throws(() => store.prefix(NaN), { code: "ERR_KEY", type: TypeError, says: "prefix is NaN" }, "prefix(NaN)");
    throws(() => store.expires(), { code: "ERR_EXPIRES", type: TypeError, says: "is undefined" }, "expires()");
    equals(store.expires(null).EXPIRES, null, "EXPIRES of expires(null)");
  },

  "options: null and undefined are none": async ({ store, advance }) => {
    await store.set("a", 1, null);
    await store.expires("10s").set("b", 2, undefined);
    await store.expires("10s").set("c", 3, { expires: undefined, prefix: undefined });
    advance(9999);
    equals(await store.all(), { a: 1, b: 2, c: 3 });
    advance(1);
    equals(await store.all(), { a: 1 });
  },

  "expires: what is neither a number, a text nor null is an error that quotes it": async ({ store }) => {
    await store.set("kept", "old");
    /** @type {[any, RegExp][]} */
    const wrong = [
      [NaN, /NaN/],
      [true, /true/],
      [false, /false/],
      [new Date(0), /Date/],
      ["potato", /"potato"/],
      [10n, /10/],
    ];
    for (const [expires, says] of wrong) {
      await rejects(
        store.set("a", 1, { expires }),
        { code: "ERR_EXPIRES", says },
        `set() with the expiry ${String(expires)}`,
      );
      await rejects(
        store.set("kept", 1, { expires }),
        { code: "ERR_EXPIRES", says },
        "the same over an existing record",
      );
      await rejects(
        store.add(1, { expires }),
        { code: "ERR_EXPIRES", says },
        `add() with the expiry ${String(expires)}`,
      );
    }
    for (const expires of [{}, [], ["1h"], () => 1, Symbol("1h")]) {
      await rejects(store.set("a", 1, { expires }), { code: "ERR_EXPIRES" }, `set() with the expiry ${typeof expires}`);
    }
    equals(await store.entries(), [["kept", "old"]]);
  },

  "expires: a default that cannot be understood throws at once": ({ kv, client, store }) => {
    throws(() => store.expires("potato"), { code: "ERR_EXPIRES", says: '"potato"' }, '.expires("potato")');
    throws(() => store.expires(NaN), { code: "ERR_EXPIRES", says: "NaN" }, ".expires(NaN)");
    throws(
      () => store.expires("5 constructor"),
      { code: "ERR_EXPIRES", says: '"5 constructor"' },
      '.expires("5 constructor")',
    );
    throws(
      () => kv(client, { expires: "potato" }),
      { code: "ERR_EXPIRES", says: '"potato"' },
      'kv(client, { expires: "potato" })',
    );
    throws(() => kv(client, { expires: true }), { code: "ERR_EXPIRES", says: "true" }, "kv(client, { expires: true })");
  },

  "expires: the default of kv() applies, and 0 deletes": async ({ kv, client, store, advance }) => {
    await kv(client, { expires: "10s" }).set("a", 1);
    await kv(client, { expires: null }).set("b", 2);
    equals(await kv(client, { expires: 0 }).set("b", 3), "b", "set() where everything is over at once");
    equals(kv(client, { expires: 0 }).EXPIRES, 0, "EXPIRES of kv(client, { expires: 0 })");
    equals(await store.all(), { a: 1 });
    advance(10000);
    equals(await store.all(), {});
  },

  "fields: PREFIX, EXPIRES and type say what a store is": ({ kv, client, store, subject }) => {
    equals([store.PREFIX, store.EXPIRES, store.type], ["", null, subject.type], "the fields of a store");
    const derived = store.prefix("a:").expires("10s").prefix("b:");
    equals([derived.PREFIX, derived.EXPIRES, derived.type], ["a:b:", 10, subject.type], "the fields of a sub-store");
    equals([store.PREFIX, store.EXPIRES], ["", null], "the fields of the store it came from");
    const expiries = [
      ["1h", 3600],
      ["0.5s", 0.5],
      [90, 90],
      [0, 0],
      ["0 days", 0],
      [null, null],
    ];
    for (const [given, seconds] of expiries)
      equals(store.expires(given).EXPIRES, seconds, `.expires(${given}).EXPIRES`);
    const made = kv(client, { prefix: "p:", expires: "2 min" });
    equals([made.PREFIX, made.EXPIRES, made.type], ["p:", 120, subject.type], "the fields of kv(client, options)");
  },

  "errors: have a code, a message, and a name": async ({ store }) => {
    const failures = [store.set("a", 1, { expires: "potato" }), store.set("a", 1, { ttl: 1 }), store.get(Symbol("a"))];
    for (const { reason } of /** @type {any[]} */ (await Promise.allSettled(failures))) {
      equals(reason instanceof Error, true, "that what a call rejects with is an Error");
      equals(/^ERR_[A-Z]+$/.test(reason.code), true, `that ${reason.code} is a code`);
      equals(["PolystoreError", "TypeError"].includes(reason.name), true, `that ${reason.name} is the name`);
      equals(reason.message.length > 20, true, `that the message "${reason.message}" says something`);
    }
    await store.close();
    await rejects(store.get("a"), { code: "ERR_CLOSED", says: /close/ }, "get() after close()");
    await store.get("a").catch((/** @type {any} */ error) => equals(error.name, "PolystoreError", "the name"));
  },

  "kv(): two stores over one client see each other's records": async ({ kv, client, store }) => {
    const other = kv(client);
    await store.set("a", 1);
    equals(await other.get("a"), 1);
    await other.del("a");
    equals(await store.keys(), []);
  },

  "kv(): two stores over one client lose none of each other's writes": async ({ kv, client, store, many }) => {
    const other = kv(client, { prefix: "other:" });
    const each = Math.min(many / 2, 100);
    const numbers = Array.from({ length: each }, (_, i) => i);
    await Promise.all(numbers.flatMap((i) => [store.set(`k${i}`, i), other.set(`k${i}`, -i - 1)]));
    equalsInAnyOrder(
      await store.values(),
      numbers.flatMap((i) => [i, -i - 1]),
    );
    equalsInAnyOrder(
      await other.values(),
      numbers.map((i) => -i - 1),
    );
  },

  "kv(): what one store writes survives that another one finds it expired": async ({ kv, client, store, advance }) => {
    if (typeof client === "function") return; // Each kv() makes an instance of its own, so these would be two clients.
    const other = kv(client);
    await store.set("a", "old", { expires: "1s" });
    advance(1000);
    const [found] = await Promise.all([store.get("a"), other.set("a", "new")]);
    equals([found, await store.get("a"), await other.get("a")], [null, "new", "new"]);
  },

  "kv(): the options prefix and expires are the same as the methods": async ({ kv, client, store }) => {
    await kv(client, { prefix: "a:" }).prefix("b:").set("k", 1);
    equals(await store.get("a:b:k"), 1);
    equals(await kv(client, { prefix: "a:b:" }).keys(), ["k"]);
    throws(() => kv(client, { ttl: 1 }), { code: "ERR_OPTIONS", says: "ttl" }, "kv(client, { ttl: 1 })");
    throws(() => kv(client, "1h"), { code: "ERR_OPTIONS", says: "1h" }, 'kv(client, "1h")');
  },

  "kv(): a store can be wrapped again, and prefixes stack": async ({ kv, client, store, subject }) => {
    const inner = kv(client, { prefix: "a:", expires: "1h" });
    const outer = kv(inner, { prefix: "b:" });
    await outer.set("k", 1);
    equals(await store.keys(), ["a:b:k"]);
    equals([outer.PREFIX, outer.EXPIRES, outer.type], ["a:b:", 3600, subject.type], "the fields of the outer store");
    equals(kv(inner, { expires: "1m" }).EXPIRES, 60, "EXPIRES, given anew");
    equals(kv(inner, { expires: null }).EXPIRES, null, "EXPIRES, taken away");
    equals(kv(kv(kv(inner))).PREFIX, "a:", "PREFIX of a store wrapped three times");
    equals(await kv(kv(client)).keys(), ["a:b:k"], "the keys of a store wrapped twice");
  },

  "kv(): a promise of a client will do": async ({ kv, client, store, subject, advance }) => {
    const later = kv(Promise.resolve(client), { prefix: "a:", expires: "10s" });
    equals([later.type, later.PREFIX, later.EXPIRES], ["PROMISE", "a:", 10], "the fields before the client is known");
    const sub = later.prefix("b:");
    const set = sub.set("k", 1); // Nothing was awaited yet.
    const listed = sub.keys();
    equals([...(await Promise.all([set, listed])), await later.get("b:k")], ["k", ["k"], 1]);
    equals(later.type, subject.type, "the type once the client is known");
    equals(await store.keys(), ["a:b:k"]);
    advance(10000);
    equals(await later.has("b:k"), false);
  },

  "kv(): a promise of a store will do": async ({ kv, store }) => {
    const later = kv(Promise.resolve(store.prefix("a:")), { prefix: "b:" });
    await later.set("k", 1);
    equals(await store.keys(), ["a:b:k"]);
    equals(await later.keys(), ["k"]);
  },
};
