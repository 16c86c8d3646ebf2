// What kv() takes and what it refuses, whatever the storage. Needs no subject but the library.

import { equals, holds, rejects, throws } from "../../../js/contract/assert.js";
import { inMicrotask, inTimeout, Raw, Wrapped, WrappedClass } from "../clients/custom.js";
import { unheard } from "../unheard.js";

/** @typedef {(...args: any[]) => any} Kv */
/**
 * The library, and what else of it is on the page.
 * @typedef {object} Library
 * @property {Kv} kv
 * @property {Kv} [secondKv] kv() of a second copy of the package.
 * @property {any} [PolystoreError]
 * @property {(code: string) => any} [elsewhere] Evaluates an expression in another window, or another realm.
 */
/** @typedef {Record<string, (library: Library) => void | Promise<void>>} LibraryBehaviours */

/** A client whose connect() does what `plans` say, one after the other. */
class Connecting extends WrappedClass {
  connected = 0;
  /** @param {(() => unknown)[]} plans */
  constructor(...plans) {
    super();
    this.connect = () => plans[Math.min(this.connected++, plans.length - 1)]();
  }
}

const refusedConnection = new Error("connection refused");
const refuse = () => Promise.reject(refusedConnection);

/** @type {LibraryBehaviours} */
export const opening = {
  "kv(): without an argument is a new store in memory each time": async ({ kv }) => {
    const [one, two] = [kv(), kv()];
    await one.set("a", 1);
    equals([await one.get("a"), await two.get("a"), one.type], [1, null, "MEMORY"]);
  },

  "add: takes its randomness from crypto.getRandomValues()": async ({ kv }) => {
    const { random } = Math;
    let drawn = 0;
    Math.random = () => {
      throw new Error("Math.random() is not for keys");
    };
    crypto.getRandomValues = /** @type {any} */ (
      (/** @type {Uint8Array<ArrayBuffer>} */ array) => {
        drawn += array.byteLength;
        return Crypto.prototype.getRandomValues.call(crypto, array);
      }
    );
    try {
      const store = kv();
      const keys = new Set();
      for (let i = 0; i < 1000; ++i) keys.add(await store.add(1));
      equals(keys.size, 1000, "the number of different keys");
      // A pool may be left from before; it is no larger than a draw, so that of 24 KB some are drawn now.
      equals(drawn >= 24 * 500, true, `that ${drawn} bytes, which are 12,000 or more, are drawn for 1,000 keys`);
    } finally {
      Math.random = random;
      Reflect.deleteProperty(crypto, "getRandomValues");
    }
  },

  "kv(): undefined spelled out is an error": ({ kv }) => {
    throws(() => kv(undefined), { code: "ERR_CLIENT", says: "undefined" }, "kv(undefined)");
    throws(() => kv(undefined, { prefix: "a:" }), { code: "ERR_CLIENT", says: "undefined" }, "kv(undefined, options)");
  },

  "kv(): throws at once on what it cannot wrap, and says what that was": ({ kv }) => {
    /** @type {[any, RegExp][]} */
    const wrong = [
      [null, /null/],
      [42, /42/],
      [0, /0/],
      [NaN, /NaN/],
      [true, /true/],
      [false, /false/],
      ["potato", /"potato"/],
      ["", /""/],
      ["http//missing.colon", /http\/\/missing\.colon/],
      [{}, /object/i],
      [{ get: 1, set: 2 }, /get, set/],
      [[], /array/i],
      [Symbol("client"), /Symbol\(client\)/],
      [10n, /10/],
      [new Date(0), /Date/],
      [new Set(), /Set/],
      [() => {}, /function/],
    ];
    for (const [client, says] of wrong)
      throws(() => kv(client), { code: "ERR_CLIENT", says }, `kv() of ${String(says)}`);
    throws(() => kv({ get() {} }), { code: "ERR_CLIENT", says: "get" }, "kv() of an object without set()");
    throws(() => kv({ set() {} }), { code: "ERR_CLIENT", says: "set" }, "kv() of an object without get()");
    throws(() => kv(class Empty {}), { code: "ERR_CLIENT", says: "Empty" }, "kv() of a class without get() and set()");
  },

  "kv(): a URL that it cannot wrap is named without its password, and with the way to wrap it": ({ kv }) => {
    for (const [url, shown] of [
      ["postgres://me:hunter2@db/prod", "postgres://…@db/prod"],
      ["rediss://:hunter2@[::1]:6379", "rediss://…@[::1]:6379"],
      ["mongodb+srv://me:hunt/er2@more:hunter2@db", "mongodb+srv://…@db"],
    ]) {
      const message = `kv() cannot wrap "${shown}". Pass a client object, for example createClient() of the package redis.`;
      throws(() => kv(url), { code: "ERR_CLIENT", says: message }, `kv() of ${url}`);
    }
    throws(() => kv("file:///no.store"), { code: "ERR_CLIENT", says: "file:///no.store" }, "kv() of another file");
  },

  "kv(): what it throws is an Error with a name of ours": ({ kv, PolystoreError }) => {
    try {
      kv(null);
    } catch (/** @type {any} */ error) {
      equals([error instanceof Error, ["PolystoreError", "TypeError"].includes(error.name)], [true, true]);
      if (PolystoreError) equals(error instanceof PolystoreError, true, "that it is a PolystoreError");
      return;
    }
    throw new Error("kv(null) did not throw");
  },

  "kv(): a rejected promise rejects every call, and nothing else": async ({ kv }) => {
    const cause = new Error("no connection");
    const reasons = await unheard(async () => {
      const store = kv(Promise.reject(cause));
      store.prefix("a:").expires("1h");
      await new Promise((resolve) => setTimeout(resolve, 5)); // Nobody uses it for a while.
      for (const call of [() => store.get("a"), () => store.set("a", 1), () => store.add(1), () => store.keys()]) {
        await rejects(call(), { code: "ERR_CLIENT", cause, says: "no connection" });
      }
      await rejects(store[Symbol.asyncIterator]().next(), { code: "ERR_CLIENT", cause }, "next()");
    });
    equals(reasons.map(String), [], "rejections that nobody heard");
  },

  "kv(): a promise of what cannot be wrapped rejects every call": async ({ kv }) => {
    const reasons = await unheard(async () => {
      const nothing = kv(Promise.resolve(undefined));
      const text = kv(Promise.resolve("potato"));
      await rejects(nothing.get("a"), { code: "ERR_CLIENT", says: "undefined" }, "get() over a promise of undefined");
      await rejects(text.set("a", 1), { code: "ERR_CLIENT", says: "potato" }, "set() over a promise of a text");
      await rejects(text.keys(), { code: "ERR_CLIENT", says: "potato" }, "keys() over a promise of a text");
    });
    equals(reasons.map(String), [], "rejections that nobody heard");
  },

  "kv(): wrong arguments reject before the client is there": async ({ kv }) => {
    const map = new Map();
    let arrive = (/** @type {Map<any, any>} */ _) => {};
    const store = kv(new Promise((resolve) => (arrive = resolve)));
    await rejects(store.set("a", 1, { expires: "potato" }), { code: "ERR_EXPIRES" });
    await rejects(store.get(Symbol("a")), { code: "ERR_KEY" });
    const born = store.set("a", { born: new Date(0) });
    born.catch(() => {});
    arrive(map);
    await rejects(born, { code: "ERR_VALUE", says: "value.born" });
    equals(map.size, 0, "the size of the Map");
  },

  "kv(): a store of another copy of the package is known": async ({ kv, secondKv }) => {
    if (!secondKv) return;
    const map = new Map();
    const theirs = secondKv(map, { prefix: "a:", expires: "1h" });
    const ours = kv(theirs, { prefix: "b:" });
    await ours.set("k", 1);
    equals([...map.keys()], ["a:b:k"]);
    equals([ours.PREFIX, ours.EXPIRES, ours.type], ["a:b:", 3600, "MEMORY"]);
    equals(await theirs.get("b:k"), 1);
  },

  "kv(): a Map of another window is a Map": async ({ kv, elsewhere }) => {
    if (!elsewhere) return;
    const map = elsewhere("new Map()");
    const store = kv(map);
    await store.set("a", [1]);
    equals([store.type, map.size, await store.all()], ["MEMORY", 1, { a: [1] }]);
    await rejects(kv().set("a", elsewhere("({ user: { born: new Date(0) } })")), {
      code: "ERR_VALUE",
      says: "value.user.born",
    });
  },

  "kv(): plain values of another window are plain": async ({ kv, elsewhere }) => {
    if (!elsewhere) return;
    const store = kv();
    await store.set("a", elsewhere('({ list: [1, { b: "c" }], none: null })'));
    equals(await store.get("a"), { list: [1, { b: "c" }], none: null });
  },

  "kv(): errors of another copy of the package are known": async ({ PolystoreError, secondKv }) => {
    if (!secondKv || !PolystoreError) return;
    const error = await secondKv(new Map())
      .get(Symbol("a"))
      .catch((/** @type {unknown} */ error) => error);
    equals(error instanceof PolystoreError, true, "that it is a PolystoreError");
  },

  "class: is made an instance of, whatever it is called": async ({ kv }) => {
    /** @type {any[]} */
    const clients = [WrappedClass, class extends WrappedClass {}, Raw, class Sub extends Raw {}, Wrapped];
    clients.push(
      (0, eval)("(class{constructor(){this.d=new Map}get(k){return this.d.get(k)}set(k,v){this.d.set(k,v)}})"),
    );
    clients.push((0, eval)("(class{d=new Map;get=k=>this.d.get(k);set=(k,v)=>{this.d.set(k,v)}})"));
    for (const client of clients) {
      const store = kv(client);
      await store.set("a", 1);
      equals(await store.get("a"), 1, `get() of ${client}`);
    }
  },

  "class: is made an instance of once, at once and without arguments": async ({ kv }) => {
    /** @type {any[]} */
    const made = [];
    const store = kv(
      class extends WrappedClass {
        constructor(/** @type {any[]} */ ...args) {
          super();
          made.push(args);
        }
      },
    );
    equals(made, [[]]);
    await Promise.all([store.set("a", 1), store.prefix("p").get("a"), kv(store).keys()]);
    equals(made.length, 1, "the number of instances");
  },

  "connect(): is called once, at once, for all stores over a client": async ({ kv }) => {
    const client = new Connecting(async () => {});
    const store = kv(client);
    equals(client.connected, 1, "calls when kv() has returned");
    kv(client, { prefix: "a:" });
    await Promise.all([store.set("a", 1), store.prefix("a:").get("a"), kv(client).keys(), kv(store).keys()]);
    equals(client.connected, 1, "calls after the stores were used");
  },

  "connect(): every call waits for it": async ({ kv }) => {
    const made = () => {
      let ready = () => {};
      const client = new Connecting(() => new Promise((resolve) => (ready = () => resolve(undefined))));
      client.data.set("a", { expires: null, value: 1 });
      let used = false;
      const get = client.get.bind(client);
      const iterate = client.iterate.bind(client);
      client.get = (id) => ((used = true), get(id));
      client.iterate = (prefix) => ((used = true), iterate(prefix));
      return { store: kv(client), ready: () => ready(), used: () => used };
    };
    for (const [name, expected, ...args] of [
      ["get", 1, "a"],
      ["has", true, "a"],
      ["keys", ["a"]],
      ["all", { a: 1 }],
    ]) {
      const { store, ready, used } = made();
      const call = store[/** @type {string} */ (name)](...args);
      await new Promise((resolve) => setTimeout(resolve, 2));
      equals(used(), false, `that ${name}() used the client before it was connected`);
      ready();
      equals(await call, expected, `${name}()`);
    }
  },

  "connect(): calls that waited for it take place in their order": async ({ kv }) => {
    const store = kv(new Connecting(() => new Promise((resolve) => setTimeout(resolve, 2))));
    const calls = [
      store.set("a", 1),
      store.get("a"),
      store.set("a", 2),
      store.get("a"),
      store.del("a"),
      store.has("a"),
    ];
    equals(await Promise.all(calls), ["a", 1, "a", 2, "a", false]);
  },

  "connect(): is tried again after a failure": async ({ kv }) => {
    for (const plan of [
      refuse,
      () => {
        throw refusedConnection;
      },
    ]) {
      const client = new Connecting(plan, plan, async () => {});
      const reasons = await unheard(async () => {
        const store = kv(client);
        await new Promise((resolve) => setTimeout(resolve, 5));
        let failures = 0;
        for (let i = 0; i < 3; ++i) {
          try {
            await store.set("a", i);
          } catch (/** @type {any} */ error) {
            equals([error.code, error.cause === refusedConnection], ["ERR_CLIENT", true], "the error's code and cause");
            ++failures;
          }
        }
        holds(failures === 1 || failures === 2, `of three calls ${failures} failed: connect() fails twice, then works`);
        equals(await store.get("a"), 2);
        equals(await kv(client).get("a"), 2, "what a new store gives");
        equals(client.connected, 3, "the number of calls of connect()");
      });
      equals(reasons.map(String), [], "rejections that nobody heard");
    }
  },

  "connect(): a new store over the client after a failure works": async ({ kv }) => {
    const client = new Connecting(refuse, async () => {});
    const reasons = await unheard(async () => {
      kv(client);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const store = kv(client);
      await store.set("a", 1).catch(() => {});
      equals(await store.set("a", 1), "a");
    });
    equals(reasons.map(String), [], "rejections that nobody heard");
  },

  "close(): opens nothing, and closes what could not be opened": async ({ kv }) => {
    for (const give of [(/** @type {any} */ client) => client, async (/** @type {any} */ client) => client]) {
      const client = new Connecting(refuse, async () => {});
      const store = kv(give(client));
      await rejects(store.get("a"), { code: "ERR_CLIENT" }, "get() of what cannot be opened");
      const attempts = client.connected;
      const calls = [store.close(), store.get("a"), store.close()];
      await rejects(calls[1], { code: "ERR_CLOSED" }, "get() after close()");
      equals(await Promise.all([calls[0], calls[2]]), [undefined, undefined], "what close() gives");
      await rejects(store.get("a"), { code: "ERR_CLOSED" }, "get() later");
      equals(client.connected, attempts, "the number of calls of connect()");
    }
  },

  "close(): while a client is being opened, ends what was called before it, or lets it fail": async ({ kv }) => {
    for (const plan of [async () => {}, refuse]) {
      const client = new Connecting(plan, async () => {});
      const store = kv(client);
      const [before, closing, after] = [store.set("a", 1), store.close(), store.set("b", 1)];
      if (plan === refuse) await rejects(before, { code: "ERR_CLIENT" }, "set() before close()");
      else equals(await before, "a");
      await rejects(after, { code: "ERR_CLOSED" }, "set() after close()");
      equals(await closing, undefined, "what close() gives");
      equals(client.connected, 1, "the number of calls of connect()");
      equals(await kv(client).set("c", 1), "c", "a new store over the client");
    }
  },

  "close(): ends the kv() it was called on with its sub-stores, and no other over a client that cannot be closed":
    async ({ kv }) => {
      for (const client of [new Map(), new WrappedClass(), new Wrapped(inTimeout), Promise.resolve(new Map())]) {
        const [one, other] = [kv(client), kv(client)];
        const sub = one.prefix("a:");
        const again = kv(one);
        const before = sub.set("k", 1);
        const closing = one.close();
        const late = [one.get("a:k"), sub.set("k", 2), one.prefix("b").keys()];
        for (const call of late) await rejects(call, { code: "ERR_CLOSED" }, "a call after close()");
        equals([await before, await closing, await one.close()], ["k", undefined, undefined], "what is under way ends");
        await rejects(one[Symbol.asyncIterator]().next(), { code: "ERR_CLOSED" }, "next()");
        equals([await other.get("a:k"), await again.get("a:k"), await kv(client).get("a:k")], [1, 1, 1]);
        equals(await kv(one).get("a:k"), 1, "a store over the client of the one that was closed");
        await Promise.all([other.close(), again.close(), other.close()]);
        await rejects(other.get("a"), { code: "ERR_CLOSED" });
        equals(await kv(client).get("a:k"), 1, "a store over the client when all were closed");
      }
    },

  "close(): waits for what is under way, and not for what other stores begin meanwhile": async ({ kv }) => {
    /** @type {(() => void)[]} */
    const answers = [];
    const data = new Map();
    const client = {
      get: (/** @type {string} */ id) => new Promise((resolve) => answers.push(() => resolve(data.get(id)))),
      set() {},
    };
    const [one, other] = [kv(client), kv(client)];
    const before = one.get("a");
    let isClosed = false;
    const closing = one.close().then(() => (isClosed = true));
    const meanwhile = other.get("a");
    await inTimeout(() => {});
    equals(isClosed, false, "that it is closed while a call is under way");
    answers[0]();
    equals([await before, await closing], [null, true]);
    answers[1]();
    equals(await meanwhile, null, "what the call of the other store gives");
  },

  "close(): closes a client that the user gave, for every store over it": async ({ kv }) => {
    let closed = 0;
    const client = Object.assign(new WrappedClass(), { close: () => void ++closed });
    const [one, other] = [kv(client), kv(Promise.resolve(client))];
    await other.set("a", 1);
    await one.close();
    equals(closed, 1, "how often the client was closed");
    await rejects(other.get("a"), { code: "ERR_CLOSED" });
    equals(await kv(client).get("a"), 1, "a new store over the client");
  },

  "close(): ends an iteration of the store, and of no other": async ({ kv }) => {
    const map = new Map();
    const [one, other] = [kv(map), kv(map)];
    await Promise.all([one.set("a", 1), one.set("b", 2)]);
    const [ended, goesOn] = [one[Symbol.asyncIterator](), other[Symbol.asyncIterator]()];
    await Promise.all([ended.next(), goesOn.next()]);
    await one.close();
    await rejects(ended.next(), { code: "ERR_CLOSED" });
    equals((await goesOn.next()).value, ["b", 2]);
  },

  "iteration: shows what was there at the first next(), not what is set behind it": async ({ kv }) => {
    for (const given of [new Map(), new WrappedClass(), Promise.resolve(new Map())]) {
      const store = kv(given);
      await store.set("a", 1);
      const [first] = await Promise.all([store[Symbol.asyncIterator]().next(), store.set("a", 2)]);
      equals(first.value, ["a", 1]);
    }
    const opening = kv(new Connecting(inTimeout.bind(null, () => {})));
    const calls = [opening.set("a", 1), opening[Symbol.asyncIterator]().next(), opening.set("a", 2)];
    equals((await Promise.all(calls))[1].value, ["a", 1], "an iteration before the client is open");
  },

  "kv(): a promise of a store is a store over that store": async ({ kv }) => {
    const map = new Map();
    const inner = kv(map, { prefix: "in:", expires: "1h" });
    const [outer, never] = [
      kv(Promise.resolve(inner), { prefix: "out:" }),
      kv(Promise.resolve(inner), { expires: null }),
    ];
    const sub = outer.prefix("sub:");
    const wrapped = kv(sub);
    const calls = [sub.set("a", 1), never.set("b", 2), wrapped.get("a"), outer.keys()];
    equals(await Promise.all(calls), ["a", "b", 1, ["sub:a"]], "what calls before the promise resolves give");
    equals([...map.keys()], ["in:out:sub:a", "in:b"]);
    equals([map.get("in:out:sub:a").expires > Date.now(), map.get("in:b").expires], [true, null], "the expiries");
    const fields = [outer, sub, wrapped, kv(sub)].map(({ PREFIX, EXPIRES, type }) => [PREFIX, EXPIRES, type]);
    const sameSub = ["in:out:sub:", 3600, "MEMORY"];
    equals(fields, [["in:out:", 3600, "MEMORY"], sameSub, sameSub, sameSub]);
    equals([never.EXPIRES, await sub.get("a"), await inner.get("b")], [null, 1, 2]);
  },

  "methods: a Proxy of a store can be used, and the store beside it": async ({ kv }) => {
    const map = new Map();
    const store = kv(map, { prefix: "p:", expires: "1h" });
    for (const handler of [{}, { get: Reflect.get }]) {
      const proxy = new Proxy(store, handler);
      equals(await proxy.set("a", 1), "a");
      const { get, keys } = proxy;
      equals([await get("a"), await keys(), await store.get("a"), await proxy.prefix("a").keys()], [1, ["a"], 1, [""]]);
      equals([proxy.PREFIX, proxy.EXPIRES, proxy.type], ["p:", 3600, "MEMORY"]);
      for await (const entry of proxy) equals(entry, ["a", 1]);
      equals([await kv(proxy).get("a"), kv(proxy).PREFIX], [1, "p:"], "a store over the proxy");
      await proxy.clear();
      equals(map.size, 0);
    }
  },

  "methods: are ordinary properties, so that a test can replace them": async ({ kv }) => {
    const store = kv();
    for (const name of [
      "get",
      "set",
      "add",
      "has",
      "del",
      "keys",
      "values",
      "entries",
      "all",
      "clear",
      "prune",
      "close",
    ]) {
      const { value, writable, configurable } = Object.getOwnPropertyDescriptor(store, name) ?? {};
      equals([typeof value, writable, configurable], ["function", true, true], name);
    }
    store.get = async () => "stub";
    equals(await store.get("a"), "stub");
    equals(await store.prefix("").get("a"), null, "what a sub-store gives");
  },

  "promise: a client's own is waited for": async ({ kv }) => {
    let ready = false;
    class Client extends WrappedClass {
      promise = inTimeout(() => (ready = true));
      /** @param {string} id */
      get(id) {
        holds(ready, "the promise was waited for");
        return super.get(id);
      }
    }
    const store = kv(new Client());
    equals(await store.get("a"), null);
    equals(await store.set("a", 1), "a");
  },

  "type: is the client's TYPE, or UNKNOWN": ({ kv }) => {
    equals(kv(new WrappedClass()).type, "UNKNOWN");
    equals(kv(Object.assign(new WrappedClass(), { TYPE: "MINE" })).type, "MINE");
    equals(
      kv(Object.assign(new WrappedClass(), { TYPE: "MINE" }))
        .prefix("a")
        .expires(1).type,
      "MINE",
    );
  },

  "type: fields of other clients do not make a user's object one of them": async ({ kv }) => {
    const others = { query() {}, prepare() {}, exec() {}, list() {}, delete() {}, key: "k", length: 0 };
    const client = Object.assign(new WrappedClass(), others);
    const store = kv(client);
    await store.set("a", 1);
    equals([store.type, [...client.data.keys()]], ["UNKNOWN", ["a"]]);
  },

  "client: is never written to": async ({ kv }) => {
    for (const original of [new WrappedClass(), new Raw(), new Raw(inMicrotask)]) {
      const writes = new Set();
      const client = new Proxy(original, {
        set: (_, name) => !writes.add(name),
        defineProperty: (_, name) => !writes.add(name),
        deleteProperty: (_, name) => !writes.add(name),
        setPrototypeOf: () => !writes.add("prototype"),
      });
      const store = kv(client);
      await store.set("a", 1);
      equals([await store.get("a"), await store.keys()], [1, ["a"]]);
      await store.close();
      equals([...writes].map(String), [], "what was written");
    }
  },
};
