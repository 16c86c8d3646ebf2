// The contract between the library and a user's own client: which of its methods are called, when, and with what.

import { equals, equalsInAnyOrder, holds, rejects, throws } from "../../../js/contract/assert.js";
import {
  inMicrotask,
  inTimeout,
  Legacy,
  Managing,
  Raw,
  Wrapped,
  WrappedClass,
  WrappedWithAll,
  RawWithAll,
} from "../clients/custom.js";

/** @typedef {import("./opening.js").LibraryBehaviours} LibraryBehaviours */

/**
 * A client that notes how it is called.
 * @param {any} client
 * @param {string[]} [methods] Those of its methods that are there; all if not given.
 */
function noting(client, methods) {
  /** @type {any[][]} */
  const notes = [];
  const noted = new Proxy(client, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function" || name === "constructor") return member;
      if (methods && !methods.includes(String(name))) return undefined;
      return (/** @type {any[]} */ ...args) => {
        notes.push([name, ...args]);
        return Reflect.apply(member, target, args);
      };
    },
    has: (target, name) =>
      name in target && (!methods || typeof target[name] !== "function" || methods.includes(String(name))),
  });
  return { client: noted, notes, take: () => notes.splice(0) };
}

/** The smallest client there may be. @param {object} [fields] */
const minimal = (fields = {}) => {
  const data = new Map();
  return Object.assign(
    {
      data,
      get: (/** @type {string} */ id) => data.get(id),
      set: (/** @type {string} */ id, /** @type {any} */ value) =>
        void (value === null ? data.delete(id) : data.set(id, value)),
    },
    fields,
  );
};

/** @type {LibraryBehaviours} */
export const custom = {
  "client: get() and set() are enough for single records": async ({ kv }) => {
    const realNow = Date.now;
    const store = kv(minimal());
    try {
      const now = realNow();
      Date.now = () => now;
      equals(await store.set("a", { b: 1 }, { expires: "1s" }), "a");
      const id = await store.prefix("p:").add(2);
      equals([await store.get("a"), await store.has("a"), await store.get(`p:${id}`)], [{ b: 1 }, true, 2]);
      Date.now = () => now + 1000;
      equals([await store.get("a"), await store.has("a")], [null, false]);
      equals([await store.del(`p:${id}`), await store.has(`p:${id}`)], [`p:${id}`, false]);
    } finally {
      Date.now = realNow;
    }
  },

  "client: needs no prototype, and nothing of it is asked for that it has not": async ({ kv }) => {
    const fails = () => {
      throw new Error("it has no text");
    };
    for (const prototype of [null, { toString: fails }, { [Symbol.toPrimitive]: fails, valueOf: fails }]) {
      for (const fields of [{}, { RAW: true }]) {
        const client = Object.setPrototypeOf(minimal(fields), prototype);
        const store = kv(client);
        equals([await store.set("a", 1), await store.get("a"), store.type], ["a", 1, "UNKNOWN"]);
        await rejects(store.keys(), { code: "ERR_UNSUPPORTED", says: "iterate" }, "keys()");
        client.get = fails;
        await rejects(store.get("a"), { code: "ERR_CLIENT", says: "it has no text" }, "get() of one that fails");
        equals(kv(client, { prefix: "a:" }).PREFIX, "a:");
      }
      const says = /object with the properties/;
      throws(() => kv(Object.setPrototypeOf({ get() {} }, prototype)), { code: "ERR_CLIENT", says }, "kv() of a half");
    }
  },

  "client: without a way to list, what must list fails and says so": async ({ kv }) => {
    for (const client of [minimal(), minimal({ RAW: true })]) {
      const store = kv(client);
      await store.set("a", 1);
      for (const name of ["keys", "values", "entries", "all", "clear"]) {
        await rejects(store[name](), { code: "ERR_UNSUPPORTED", says: "iterate" }, `${name}()`);
        await rejects(store.prefix("a")[name](), { code: "ERR_UNSUPPORTED" }, `${name}() of a sub-store`);
      }
      await rejects(store[Symbol.asyncIterator]().next(), { code: "ERR_UNSUPPORTED", says: "iterate" }, "next()");
      equals(await store.get("a"), 1, "what get() gives afterwards");
    }
    await rejects(kv(minimal()).prune(), { code: "ERR_UNSUPPORTED" }, "prune()");
    equals(await kv(minimal({ RAW: true })).prune(), 0, "prune() of a client that sees to expiry");
  },

  "client: without a flag it gets records with the instant of expiry": async ({ kv }) => {
    const { client, take } = noting(new WrappedClass());
    const store = kv(client).prefix("p:");
    const before = Date.now();
    await store.set("a", { b: 1 });
    const readBack = ["get", "p:a"];
    equals(take(), [["set", "p:a", { expires: null, value: { b: 1 } }], readBack]);
    await store.set("a", 2, { expires: "10s" });
    const [[name, id, { expires, value }, ...rest]] = take();
    equals([name, id, value, rest.filter((argument) => argument !== undefined)], ["set", "p:a", 2, []]);
    holds(expires >= before + 10000 && expires <= Date.now() + 10000, `${expires} lies ten seconds ahead`);
    await store.del("a");
    equals(take(), [["set", "p:a", null]], "how a record is deleted without del()");
    await store.set("a", null);
    equals(take(), [["set", "p:a", null]], "how null is set");
  },

  "client: RAW or HAS_EXPIRATION gets values and seconds": async ({ kv }) => {
    for (const flag of [{ RAW: true }, { HAS_EXPIRATION: true }, { RAW: true, HAS_EXPIRATION: true }]) {
      const { client, take } = noting(Object.assign(new Managing(), flag));
      const store = kv(client).prefix("p:");
      await store.set("first", "v");
      take();
      await store.set("a", "v");
      await store.set("b", "v", { expires: "2 minutes" });
      await store.set("c", "v", { expires: 0.25 });
      await store.expires("1h").set("d", "v");
      await store.expires("1h").set("e", "v", { expires: null });
      const expected = [
        ["a", null],
        ["b", 120],
        ["c", 0.25],
        ["d", 3600],
        ["e", null],
      ];
      equals(
        take(),
        expected.map(([key, seconds]) => ["set", `p:${key}`, "v", seconds]),
      );
      await store.del("a");
      await store.set("b", null);
      await store.set("c", "v", { expires: 0 });
      equals(
        take(),
        ["a", "b", "c"].map((key) => ["set", `p:${key}`, null, 0]),
        "how records are deleted without del()",
      );
    }
  },

  "client: RAW holds the very value that was set": async ({ kv }) => {
    for (const value of [new Date(0), { a: [1] }, () => 1, Symbol("s")]) {
      const client = new Raw();
      await kv(client).set("a", value);
      await kv(Promise.resolve(client)).set("b", value);
      for (const key of ["a", "b"])
        equals(client.data.get(key)?.value === value, true, `that it is ${typeof value} itself`);
    }
  },

  "client: EXPIRES gets values and { expires }, as until 2024": async ({ kv }) => {
    const { client, take } = noting(new Legacy());
    const store = kv(client).prefix("p:");
    await store.set("a", "v");
    await store.set("b", "v", { expires: "10s" });
    await store.del("a");
    equals(take(), [
      ["set", "p:a", "v", { expires: null }],
      ["get", "p:a"],
      ["set", "p:b", "v", { expires: 10 }],
      ["set", "p:a", null, { expires: 0 }],
    ]);
    equals([await store.has("b"), take()], [true, [["has", "p:b"]]]);
  },

  "client: add() gets the prefix, the value and the expiry": async ({ kv }) => {
    const add = (/** @type {string} */ prefix) => `${prefix}own`;
    const raw = noting(Object.assign(new Raw(), { add }));
    equals(await kv(raw.client).prefix("p:").add("v", { expires: "10s" }), "own", "the key");
    equals(raw.take(), [["add", "p:", "v", 10]]);
    const wrapped = noting(Object.assign(new WrappedClass(), { add }));
    equals(await kv(wrapped.client).add("v"), "own", "the key");
    equals(wrapped.take(), [["add", "", { expires: null, value: "v" }]]);
    const legacy = noting(Object.assign(new Legacy(), { add }));
    equals(await kv(legacy.client).add("v", { expires: 5, prefix: "q:" }), "own", "the key");
    equals(legacy.take(), [["add", "q:", "v", { expires: 5 }]]);
  },

  "client: the key that its add() gives loses the prefix, if it has it": async ({ kv }) => {
    const bare = Object.assign(new Raw(), { add: async () => "own" });
    const full = Object.assign(new Raw(), { add: async (/** @type {string} */ prefix) => `${prefix}own` });
    for (const client of [bare, full]) {
      equals([await kv(client).add(1), await kv(client).prefix("p:").add(1)], ["own", "own"]);
    }
  },

  "client: a method of its own is the one that is called": async ({ kv }) => {
    for (const made of [new RawWithAll(), new WrappedWithAll()]) {
      const raw = made instanceof RawWithAll;
      const { client, take } = noting(made);
      const store = kv(client).prefix("p:");
      await store.set("a", 1);
      take();
      /** @type {[string, any[], any[]][]} */
      const calls = [
        ["del", ["a"], ["del", "p:a"]],
        ["entries", [], ["entries", "p:"]],
        ["clear", [], ["clear", "p:"]],
      ];
      if (raw) calls.push(["has", ["a"], ["has", "p:a"]], ["keys", [], ["keys", "p:"]]);
      if (raw) calls.push(["prune", [], ["prune", "p:"]], ["values", [], ["values", "p:"]]);
      for (const [method, args, called] of calls) {
        await store[method](...args);
        const notes = take();
        holds(
          notes.some((note) => JSON.stringify(note) === JSON.stringify(called)),
          `${method}() calls ${JSON.stringify(called)}, not ${JSON.stringify(notes)}`,
        );
      }
      await store.close();
      equals(take(), [["close"]]);
    }
  },

  "client: clear() that takes no prefix is not called": async ({ kv }) => {
    for (const name of ["a method", "an arrow function", "a bound function"]) {
      const removeAll = () => client.data.clear();
      const method = {
        clear() {
          removeAll();
        },
      };
      const clear =
        /** @type {any} */ ({ "a method": method.clear, "a bound function": removeAll.bind(null) })[name] ?? removeAll;
      /** @type {WrappedClass} */
      const client = Object.assign(new WrappedClass(), { clear });
      const store = kv(client);
      await store.set("a:1", 1);
      await store.set("b:1", 2);
      await store.prefix("a:").clear();
      equals(await store.all(), { "b:1": 2 }, `what is left where it is ${name}`);
      await store.clear();
      equals(await store.all(), {}, `what is left of all where it is ${name}`);
    }
  },

  "client: clear() with any kind of parameter is called": async ({ kv }) => {
    /** @type {any[]} */
    const calls = [];
    for (const clear of [
      (/** @type {string} */ prefix) => calls.push(prefix),
      (prefix = "") => calls.push(prefix),
      async (/** @type {any[]} */ ...args) => calls.push(...args),
      function (/** @type {string} */ prefix) {
        calls.push(prefix);
      }.bind(null),
    ]) {
      await kv(minimal({ clear })).prefix("p:").clear();
    }
    equals(calls, ["p:", "p:", "p:", "p:"]);
  },

  "client: one that does not keep what is set is an error": async ({ kv }) => {
    const nothing = () => undefined;
    const later = async () => undefined;
    const clients = [
      new FormData(),
      new URLSearchParams(),
      { get: nothing, set: nothing },
      { get: later, set: later },
      { get: async () => null, set: async () => "OK" },
      { get: nothing, set: later },
      { get: () => "a text", set: nothing },
      { get: () => ({ value: 1 }), set: nothing },
      { RAW: true, get: nothing, set: nothing },
      { RAW: true, get: later, set: later },
      { EXPIRES: true, get: later, set: later },
      { RAW: true, get: async () => "[object Object]", set: later },
    ];
    for (const [i, client] of clients.entries()) {
      const store = kv(client);
      const says = /set\("a"\) with an object with the properties .*get\("a"\) returned .*Pass an object/;
      await rejects(store.set("a", { b: 1 }), { code: "ERR_CLIENT", says }, `the first set() of client ${i}`);
      await rejects(store.set("a", { b: 1 }), { code: "ERR_CLIENT" }, `the second set() of client ${i}`);
      await rejects(store.add({ b: 1 }), { code: "ERR_CLIENT" }, `add() of client ${i}`);
    }
  },

  "client: only the first value that is set is read back": async ({ kv }) => {
    for (const make of [() => new WrappedClass(), () => new Wrapped(inMicrotask), () => new Raw(inMicrotask)]) {
      const { client, take } = noting(make());
      const store = kv(client);
      for (const key of ["a", "b", "c"]) await store.set(key, 1);
      equals(
        take().map(([name, id]) => [name, id]),
        [
          ["set", "a"],
          ["get", "a"],
          ["set", "b"],
          ["set", "c"],
        ],
      );
    }
  },

  "client: one that answers later is neither read back nor suspected": async ({ kv }) => {
    const { client, take } = noting(new Wrapped(inTimeout));
    const store = kv(client);
    await store.set("a", 1);
    equals(
      take().map(([name]) => name),
      ["set"],
    );
    for (const get of [() => inTimeout(() => undefined), () => new Promise(() => {})]) {
      const replica = kv(minimal({ get, set: async () => undefined }));
      equals(await replica.set("a", 1), "a", "set() where what is read may be old");
    }
    const queued = kv({ get: async () => undefined, set() {} });
    equals(await queued.set("a", 1), "a", "set() that is not waited for");
  },

  "client: a value that is gone again when it is read back is no error": async ({ kv }) => {
    for (const make of [() => new Wrapped(inMicrotask), () => new Raw(inMicrotask), () => new WrappedClass()]) {
      const store = kv(make());
      await Promise.all([store.set("a", 1), store.del("a"), store.set("b", 2), store.clear()]);
      equals(await store.get("a"), null);
    }
    equals(await kv(minimal({ RAW: true, get: () => undefined })).set("a", 1, { expires: 0.001 }), "a");
  },

  "client: its get() may fail, and may set something itself": async ({ kv }) => {
    const fail = () => {
      throw new Error("it cannot be read now");
    };
    for (const get of [fail, async () => fail()]) equals(await kv(minimal({ get })).set("a", 1), "a");
    const inner = new WrappedClass();
    /** @type {any} */
    const store = kv({
      set: (/** @type {string} */ id, /** @type {any} */ record) => inner.set(id, record),
      get: (/** @type {string} */ id) => (id === "reads" || store.set("reads", 1), inner.get(id)),
    });
    equals([await store.set("a", 1), await store.get("a"), await store.get("reads")], ["a", 1, 1]);
  },

  "client: prune() of its own says how many": async ({ kv }) => {
    equals(await kv(Object.assign(new Raw(), { prune: () => 7 })).prune(), 7);
    equals(await kv(Object.assign(new Raw(), { prune: async () => undefined })).prune(), 0);
  },

  "client: entries() or keys() are enough to list": async ({ kv }) => {
    const listing = (/** @type {Map<string, any>} */ data) => async (/** @type {string} */ prefix) =>
      [...data].filter(([id]) => id.startsWith(prefix));
    const wrapped = minimal();
    const raw = minimal({ RAW: true });
    const keyed = minimal({ RAW: true });
    const stores = [
      kv(Object.assign(wrapped, { entries: listing(wrapped.data) })),
      kv(Object.assign(raw, { entries: listing(raw.data) })),
      kv(
        Object.assign(keyed, {
          keys: async (/** @type {string} */ prefix) => [...keyed.data.keys()].filter((id) => id.startsWith(prefix)),
        }),
      ),
    ];
    for (const store of stores) {
      await store.set("p:a", 1);
      await store.set("b", 2);
      equals([await store.prefix("p:").keys(), await store.prefix("p:").values()], [["a"], [1]]);
      equals([await store.all(), await store.prefix("p:").entries()], [{ "p:a": 1, b: 2 }, [["a", 1]]]);
      const seen = [];
      for await (const entry of store) seen.push(entry);
      equalsInAnyOrder(seen, [
        ["p:a", 1],
        ["b", 2],
      ]);
      await store.prefix("p:").clear();
      equals(await store.keys(), ["b"]);
    }
  },

  "client: iterate() may give anything that can be iterated": async ({ kv }) => {
    const data = new Map([
      ["a", { expires: null, value: 1 }],
      ["b", { expires: null, value: 2 }],
    ]);
    const ways = [
      () => [...data],
      () => data.entries(),
      () => new Map(data),
      function* () {
        yield* data;
      },
      async function* () {
        yield* data;
      },
    ];
    for (const iterate of ways) {
      const client = Object.assign(minimal(), { iterate });
      equals(
        await kv(client).entries(),
        [
          ["a", 1],
          ["b", 2],
        ],
        `entries() over ${iterate}`,
      );
      equals(
        await kv(client).prefix("b").entries(),
        [["", 2]],
        "entries() of a sub-store, if the client heeds no prefix",
      );
    }
  },

  "client: iterate() that gives what is no record disturbs nothing": async ({ kv }) => {
    const junk = [
      ["x", undefined],
      ["y", null],
      ["z", "text"],
      ["u", {}],
      ["v", { value: 1 }],
      ["w", { expires: 1e300 }],
    ];
    const iterate = () => [...junk, ["a", { expires: null, value: 1 }]];
    equals(await kv(Object.assign(minimal(), { iterate })).entries(), [["a", 1]]);
  },

  "client: what it does not find may be null or undefined": async ({ kv }) => {
    for (const flags of [{}, { RAW: true }, { EXPIRES: true }]) {
      for (const nothing of [null, undefined, Promise.resolve(null), Promise.resolve(undefined)]) {
        const store = kv(minimal({ ...flags, get: () => nothing }));
        equals([await store.get("a"), await store.has("a")], [null, false]);
      }
    }
  },

  "client: has() of its own is taken as a boolean": async ({ kv }) => {
    for (const [given, expected] of [
      [1, true],
      [0, false],
      ["yes", true],
      [undefined, false],
      [Promise.resolve(1), true],
    ]) {
      equals(await kv(minimal({ RAW: true, has: () => given })).has("a"), expected);
    }
  },

  "client: its failure reaches the caller, and the store goes on working": async ({ kv }) => {
    const cause = new Error("disk on fire");
    for (const fail of [
      () => {
        throw cause;
      },
      () => Promise.reject(cause),
    ]) {
      let failing = false;
      const inner = new WrappedClass();
      const client = {
        get: (/** @type {string} */ id) => (failing ? fail() : inner.get(id)),
        set: (/** @type {string} */ id, /** @type {any} */ record) => (failing ? fail() : inner.set(id, record)),
        iterate: (/** @type {string} */ prefix) => (failing ? fail() : inner.iterate(prefix)),
      };
      const store = kv(client);
      await store.set("a", 1);
      failing = true;
      for (const call of [
        () => store.get("a"),
        () => store.set("a", 2),
        () => store.add(3),
        () => store.del("a"),
        () => store.has("a"),
      ]) {
        await rejects(call(), { code: "ERR_CLIENT", cause, says: "disk on fire" }, String(call));
      }
      if (fail.toString().includes("throw")) {
        for (const name of ["keys", "values", "entries", "all", "clear", "prune"]) {
          await rejects(store[name](), { code: "ERR_CLIENT", cause }, `${name}()`);
        }
        await rejects(store[Symbol.asyncIterator]().next(), { code: "ERR_CLIENT", cause }, "next()");
      }
      failing = false;
      equals(await store.all(), { a: 1 });
      await store.close();
    }
  },

  "client: a failure in the middle of a listing reaches the caller": async ({ kv }) => {
    const cause = new Error("cable pulled");
    let failing = true;
    const client = minimal({
      iterate: async function* () {
        for (let i = 0; i < 2000; ++i) {
          if (failing && i === 1500) throw cause;
          yield [`k${i}`, { expires: null, value: i }];
        }
      },
    });
    const store = kv(client);
    await rejects(store.keys(), { code: "ERR_CLIENT", cause }, "keys()");
    await rejects(
      (async () => {
        for await (const _ of store);
      })(),
      { code: "ERR_CLIENT", cause },
      "iterating",
    );
    failing = false;
    equals((await store.keys()).length, 2000, "the number of keys afterwards");
  },

  "client: what it throws may be anything": async ({ kv }) => {
    for (const thrown of ["text", undefined, null, 42, { code: "E" }]) {
      const store = kv(minimal({ get: () => Promise.reject(thrown) }));
      const error = await store.get("a").then(
        () => undefined,
        (/** @type {any} */ error) => error,
      );
      equals(
        [error instanceof Error, error.code, error.cause === thrown],
        [true, "ERR_CLIENT", true],
        `the error for ${String(thrown)}`,
      );
    }
  },

  "client: it may use a store itself, even the one it belongs to": async ({ kv }) => {
    const inner = kv(new Map());
    /** @type {any} */
    let outer;
    const client = {
      RAW: true,
      get: async (/** @type {string} */ id) => (id === "double" ? (await outer.get("a")) * 2 : inner.get(id)),
      set: (/** @type {string} */ id, /** @type {any} */ value) => inner.set(id, value),
      iterate: (/** @type {string} */ prefix) => inner.prefix(prefix)[Symbol.asyncIterator](),
    };
    outer = kv(client);
    await outer.set("a", 21);
    equals([await outer.get("double"), await outer.keys()], [42, ["a"]]);
    const synchronous = kv({
      RAW: true,
      get: (/** @type {string} */ id) => (void inner.set(`seen:${id}`, 1), 5),
      set() {},
    });
    equals([await synchronous.get("x"), await inner.get("seen:x")], [5, 1]);
  },

  "client: iterating reads it page by page, and lets go of it": async ({ kv }) => {
    let given = 0;
    let released = 0;
    const client = minimal({
      iterate: async function* () {
        try {
          for (; given < 10000; ++given) yield [`k${given}`, { expires: null, value: given }];
        } finally {
          ++released;
        }
      },
    });
    const iterator = kv(client)[Symbol.asyncIterator]();
    await iterator.next();
    holds(given <= 1024, `of 10,000 records ${given} were read for the first, which are 1,024 or fewer`);
    await iterator.return();
    equals(released, 1, "how often the client's iterator was released");
    given = 0;
    for await (const _ of kv(client)) break;
    equals(released, 2, "how often it was released after break");
    given = 0;
    equals((await kv(client).keys()).length, 10000, "the number of keys");
    equals(released, 3, "how often it was released after a whole listing");
  },

  "client: a value that is absent in a client that sees to expiry is not listed": async ({ kv }) => {
    const iterate = () => [
      ["a", null],
      ["b", undefined],
      ["c", 0],
      ["d", false],
      ["e", ""],
    ];
    const store = kv(minimal({ RAW: true, iterate }));
    equals(await store.entries(), [
      ["c", 0],
      ["d", false],
      ["e", ""],
    ]);
  },
};
