import { equals, rejects } from "../assert.js";

class Point {
  x = 1;
}

/** @type {Record<string, any>} */
const cycle = { name: "cycle" };
cycle.self = cycle;

/** What JSON cannot hold, and what the message must say of it. @type {[any, RegExp][]} */
const UNFIT = [
  [new Date(0), /Date/],
  [Infinity, /Infinity/],
  [-Infinity, /-Infinity/],
  [NaN, /NaN/],
  [Symbol("s"), /symbol/i],
  [() => 1, /function/i],
  [1n, /bigint/i],
  [new Map(), /Map/],
  [new Set([1]), /Set/],
  [/x/, /RegExp/],
  [new Uint8Array(2), /Uint8Array/],
  [new Point(), /Point/],
  [new Error("x"), /Error/],
  [Promise.resolve(1), /Promise/],
  [Object("boxed"), /String/],
  [cycle, /cycle/i],
];

/**
 * @param {any} value
 * @returns {string}
 */
const kind = (value) => (value === cycle ? "a cycle" : `${typeof value} ${Object.prototype.toString.call(value)}`);

/** Promises of every client that keeps copies. @type {import("./behaviour.js").Behaviours} */
export const copiedValues = {
  "values: changing what was given to set() changes nothing": async ({ store }) => {
    const value = { list: [1], deep: { text: "a" } };
    const setting = store.set("a", value);
    value.list.push(2); // Before anything was awaited.
    await setting;
    value.deep.text = "b";
    equals(await store.get("a"), { list: [1], deep: { text: "a" } });
  },

  "values: changing what was given to add() changes nothing": async ({ store }) => {
    const value = [{ a: 1 }];
    const adding = store.add(value);
    value[0].a = 2;
    equals(await store.get(await adding), [{ a: 1 }]);
  },

  "values: changing what was given to a store over a promise changes nothing": async ({ kv, client, store }) => {
    const value = { list: [1] };
    const setting = kv(Promise.resolve(client)).set("a", value);
    value.list.push(2);
    await setting;
    equals(await store.get("a"), { list: [1] });
  },

  "values: changing what a method gave changes nothing": async ({ store }) => {
    const value = { list: [1], deep: { text: "a" } };
    await store.set("a", value);
    const spoil = (/** @type {typeof value} */ given) => {
      equals(given, value, "what was given");
      given.list.push(2);
      given.deep.text = "b";
    };
    spoil(await store.get("a"));
    spoil((await store.values())[0]);
    spoil((await store.entries())[0][1]);
    spoil((await store.all()).a);
    for await (const [, given] of store) spoil(given);
    spoil(await store.get("a"));
  },

  "values: two reads give two objects": async ({ store }) => {
    await store.set("a", [{}]);
    const [one, two] = await Promise.all([store.get("a"), store.get("a")]);
    one[0].changed = true;
    equals(two, [{}]);
    // As many as make some clients read in another way.
    const many = await Promise.all(Array.from({ length: 100 }, () => store.get("a")));
    for (const given of many) {
      equals(given, [{}], "what one of 100 reads gave");
      given[0].changed = true;
    }
  },

  "values: what JSON cannot hold is a TypeError, and nothing is written": async ({ store }) => {
    await store.set("kept", "old");
    for (const [value, says] of UNFIT) {
      const failure = { code: "ERR_VALUE", type: TypeError, says };
      await rejects(store.set("a", value), failure, `set() of ${kind(value)}`);
      await rejects(store.set("kept", value), failure, `set() of ${kind(value)} over an existing record`);
      await rejects(store.add(value), failure, `add() of ${kind(value)}`);
    }
    equals(await store.entries(), [["kept", "old"]]);
  },

  "values: of several, one that JSON cannot hold is an error, and none is written": async ({ store }) => {
    for (const [value, says] of UNFIT) {
      const failure = { code: "ERR_VALUE", type: TypeError, says };
      await rejects(
        store.setMany([
          ["a", 1],
          ["b", value],
          ["c", 3],
        ]),
        failure,
        `setMany() with ${kind(value)}`,
      );
    }
    equals(await store.keys(), []);
  },

  "values: the error names the path of what JSON cannot hold": async ({ store }) => {
    for (const [born, says] of UNFIT) {
      const value = { name: "a", user: { ok: [1, null], born } };
      const failure = { code: "ERR_VALUE", type: TypeError, says };
      await rejects(store.set("a", value), failure, `set() with ${kind(born)} inside`);
      await rejects(store.set("a", value), { ...failure, says: "value.user.born" }, `set() with ${kind(born)} inside`);
    }
    await rejects(store.set("a", [0, { when: new Date(0) }]), { code: "ERR_VALUE", says: /value\W*1\W*when/ });
    equals(await store.keys(), []);
  },

  "values: a value that contains itself further up is a cycle": async ({ store }) => {
    /** @type {any} */
    const value = { user: { friends: [{}] } };
    value.user.friends[0].friend = value.user;
    await rejects(store.set("a", value), {
      code: "ERR_VALUE",
      type: TypeError,
      says: /value\.user\.friends\W*0\W*friend.*cycle/,
    });
    equals(await store.keys(), []);
  },

  "values: one object in two places is no cycle": async ({ store }) => {
    const shared = { a: [1] };
    await store.set("a", { left: shared, right: [shared, shared] });
    const value = await store.get("a");
    equals(value, { left: { a: [1] }, right: [{ a: [1] }, { a: [1] }] });
    value.left.a.push(2);
    equals(value.right[0], { a: [1] }, "the other copy");
  },

  "values: a field that is undefined is left out, and undefined in an array is null": async ({ store }) => {
    await store.set("a", { x: undefined, y: { z: undefined }, list: [1, undefined, 2] });
    const value = await store.get("a");
    equals(value, { y: {}, list: [1, null, 2] });
    equals(Object.keys(value), ["y", "list"], "the fields");
    // eslint-disable-next-line no-sparse-arrays
    await store.set("a", [1, , 2]);
    equals(await store.get("a"), [1, null, 2], "an array with a hole");
  },

  "values: an object whose toJSON() gives an object or an array is stored as that": async ({ store }) => {
    class Row {
      #fields = { id: 1, tags: ["a"], none: undefined };
      toJSON() {
        return this.#fields;
      }
    }
    class Rows extends Row {
      toJSON() {
        return /** @type {any} */ ([new Row(), { row: new Row() }]);
      }
    }
    await store.set("row", new Row());
    await store.set("rows", new Rows());
    await store.set("deep", { list: [new Row()], toJSON: () => ({ of: new Rows() }) });
    const row = { id: 1, tags: ["a"] };
    equals(await store.all(), { row, rows: [row, { row }], deep: { of: [row, { row }] } });
  },

  "values: a toJSON() that gives no object, or what JSON cannot hold, is refused": async ({ store }) => {
    const refused = [
      [() => "text", " is an object,"],
      [() => 1, " is an object,"],
      [() => null, ".toJSON is a function,"],
      [() => ({ count: NaN }), ".count is NaN"],
      [() => [() => 1], "[0] is a function"],
      [() => ({ again: cycle }), ".again.self is a cycle"],
    ];
    for (const [toJSON, says] of refused) {
      await rejects(store.set("a", { b: { toJSON } }), { code: "ERR_VALUE", type: TypeError, says: `value.b${says}` });
    }
    const fails = () => {
      throw new Error("no form");
    };
    await rejects(store.set("a", { toJSON: fails }), { code: "ERR_VALUE", says: "could not be read" });
    equals(await store.keys(), []);
  },

  "values: a Date in what toJSON() gave is the text that its class reads back": async ({ store }) => {
    await store.set("a", { toJSON: () => ({ at: new Date(0), list: [{ at: new Date(1) }] }) });
    equals(await store.get("a"), { at: "1970-01-01T00:00:00.000Z", list: [{ at: "1970-01-01T00:00:00.001Z" }] });
  },

  "values: objects without a prototype, and frozen ones, are plain": async ({ store }) => {
    await store.set("a", Object.assign(Object.create(null), { a: 1 }));
    await store.set("b", Object.freeze({ a: Object.freeze([1]) }));
    equals(await store.all(), { a: { a: 1 }, b: { a: [1] } });
    equals(Object.getPrototypeOf(await store.get("a")), Object.prototype, "the prototype of what get() gives");
  },

  "values: halves of surrogate pairs in texts are kept": async ({ store }) => {
    const value = { "\udc00": ["a\ud83d", "\ude00b", "\ud83d\ude00"] };
    await store.set("a", value);
    await store.set("b", "\ud800");
    equals(await store.all(), { a: value, b: "\ud800" });
  },

  "values: 500 arrays inside each other": async ({ store }) => {
    const nest = () => {
      /** @type {any[]} */
      let value = [];
      for (let i = 1; i < 500; ++i) value = [value];
      return value;
    };
    await store.set("a", nest());
    equals(JSON.stringify(await store.get("a")), JSON.stringify(nest()));
  },
};

/** Promises of a client that gets values by identity. @type {import("./behaviour.js").Behaviours} */
export const identicalValues = {
  "values: a client that sees to expiry itself gets and gives the very same values": async ({ store }) => {
    const values = [new Date(0), new Point(), () => 1, new Map([[1, 2]]), Symbol("s"), 10n, cycle, { a: [1] }];
    for (const [i, value] of values.entries()) {
      await store.set("a", value, i % 2 ? { expires: "1h" } : undefined);
      equals((await store.get("a")) === value, true, `that get() gives ${kind(value)} itself`);
      equals((await store.values())[0] === value, true, `that values() gives ${kind(value)} itself`);
      equals((await store.entries())[0][1] === value, true, `that entries() gives ${kind(value)} itself`);
      equals((await store.all()).a === value, true, `that all() gives ${kind(value)} itself`);
      for await (const [, given] of store) equals(given === value, true, `that iterating gives ${kind(value)} itself`);
    }
    const id = await store.add(cycle);
    equals((await store.get(id)) === cycle, true, "that a value given to add() is the same");
  },

  "values: also through a promise of the client": async ({ kv, client, store }) => {
    const value = new Point();
    await kv(Promise.resolve(client)).set("a", value);
    equals((await store.get("a")) === value, true, "that get() gives the value itself");
  },
};

/** Promises of every client. @type {import("./behaviour.js").Behaviours} */
export const anyValues = {
  "values: undefined is null, and deletes": async ({ store }) => {
    await store.set("a", 1);
    equals(await store.set("a", undefined), "a", "what set() of undefined gives");
    equals([await store.get("a"), await store.has("a"), await store.keys(), await store.prune()], [null, false, [], 0]);
    await store.set("a", 1);
    await rejects(store.set("a"), { code: "ERR_VALUE", says: "null" }, "set() without a value");
    await rejects(store.add(), { code: "ERR_VALUE" }, "add() without a value");
    equals(await store.get("a"), 1, "what is there after set() without a value");
    await store.del("a");
    equals((await store.add(undefined)).length, 24, "the length of the key that add() of undefined gives");
    equals(await store.entries(), []);
  },
};
