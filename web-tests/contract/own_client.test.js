// What an author of a client gets: contract() over clients of many shapes, of which it is told nothing but how to open them, and
// over clients with a fault, which a case has to find.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import kv, { PolystoreError } from "polystore-wasm";
import { contract } from "polystore-wasm/contract";
import * as custom from "./clients/custom.js";

/** Keeps records, and can neither list nor delete by a method of its own. */
class Unlisted {
  /** @type {Map<string, any>} */
  data = new Map();

  /** @param {string} key */
  get(key) {
    return this.data.get(key);
  }

  /**
   * @param {string} key
   * @param {any} record
   */
  set(key, record) {
    if (record === null) this.data.delete(key);
    else this.data.set(key, record);
  }
}

class UnlistedValues extends custom.Raw {
  /** @type {any} */
  iterate = undefined;
}

/** Makes JSON of its values, as a client of a server does. */
class JsonValues extends custom.Raw {
  /** @param {string} id */
  alive(id) {
    const kept = super.alive(id);
    return kept && { ...kept, value: JSON.parse(kept.value) };
  }

  /**
   * @param {string} id
   * @param {any} value
   * @param {unknown} expires
   */
  keep(id, value, expires) {
    super.keep(id, value === null ? null : JSON.stringify(value), expires);
  }
}

/**
 * @param {import("polystore-wasm/contract").ContractOptions} options
 * @returns {Promise<Record<string, number>>} How often each verdict was given.
 */
async function verdictsOf(options) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { run } of contract(options)) {
    const verdict = await run();
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
}

const ofRecords = { kv, open: () => new custom.WrappedClass() };
const all = contract(ofRecords).length;

/** How many cases a client does not keep that can neither copy values nor change atomically; a `swap` gives most of them. */
const OF_RECORDS = { refused: 33, skipped: 17 };
const OF_SWAPS = { refused: 7, skipped: 6 };
const OF_VALUES = { refused: 34, skipped: 18 + all - contract({ ...ofRecords, identity: true }).length };

describe("contract() tells from a client what it owes", () => {
  /** @type {[name: string, open: () => any, others: { refused: number, skipped: number }][]} */
  const shapes = [
    ["records", () => new custom.WrappedClass(), OF_RECORDS],
    ["records, later", () => new custom.Wrapped(custom.inTimeout), OF_RECORDS],
    ["records, with all methods", () => new custom.WrappedWithAll(), OF_RECORDS],
    ["records, a promise", async () => new custom.WrappedClass(), OF_RECORDS],
    ["records that are swapped", () => new custom.Swapping(), OF_SWAPS],
    ["values", () => new custom.Raw(), OF_VALUES],
    ["values, with all methods", () => new custom.RawWithAll(), OF_VALUES],
    ["values, as until 2024", () => new custom.Legacy(), OF_VALUES],
  ];
  for (const [name, open, others] of shapes) {
    test(name, async () => {
      const held = all - others.refused - others.skipped;
      assert.deepEqual(await verdictsOf({ kv, open }), { held, ...others });
    });
  }

  test("a class", async () => {
    /** @type {typeof custom.WrappedClass} */
    let Client;
    const open = () => {
      const data = new Map();
      Client = class extends custom.WrappedClass {
        TYPE = "OWN";
        data = data;
      };
      return Client;
    };
    const held = all - OF_RECORDS.refused - OF_RECORDS.skipped;
    assert.deepEqual(await verdictsOf({ kv, open }), { held, ...OF_RECORDS });
  });

  test("values that are copied, where it is said", async () => {
    const { held, ...others } = await verdictsOf({ kv, open: () => new JsonValues(), identity: false });
    assert.ok(held > 250, String(held));
    const { refused } = OF_VALUES;
    assert.deepEqual(others, { refused, skipped: contract({ ...ofRecords, identity: false }).length - held - refused });
  });

  for (const Client of [Unlisted, UnlistedValues]) {
    test(`${Client.name}: what must list is refused`, async () => {
      const { held, refused, skipped } = await verdictsOf({ kv, open: () => new Client() });
      assert.ok(held > 60 && refused > 200, `${held} held, ${refused} refused, ${skipped} skipped`);
      const cannotList = contract({ kv, open: () => new Client(), lists: true });
      const listing = cannotList.find(({ name }) => name === "iteration: gives every record once");
      await assert.rejects(async () => listing?.run(), { code: "ERR_UNSUPPORTED" });
    });
  }
});

test("held() adds the cases of what is left in the storage", async () => {
  const held = (/** @type {custom.WrappedClass} */ { data }) => [...data.keys()];
  const counts = await verdictsOf({ ...ofRecords, held });
  assert.equal(counts.held, all - OF_RECORDS.refused - OF_RECORDS.skipped + 7);
});

describe("contract() finds a client that", () => {
  /** @type {[fault: string, Client: any, name: string][]} */
  const faults = [
    [
      "does not delete",
      class extends custom.WrappedClass {
        /** @type {custom.WrappedClass["set"]} */
        set(id, record) {
          if (record !== null) super.set(id, record);
        }
      },
      "set: null deletes, and gives the key",
    ],
    [
      "swaps whatever is there",
      class extends custom.Swapping {
        constructor() {
          super(custom.inTimeout);
          /** @type {custom.Swapping["swap"]} */
          this.swap = async (id, _, record) => {
            await this.set(id, record);
            return true;
          };
        }
      },
      "at once: a set is before or after an update, never between",
    ],
    [
      "takes upper and lower case for the same",
      class extends custom.WrappedClass {
        /** @type {custom.WrappedClass["get"]} */
        get(id) {
          return super.get(id.toLowerCase());
        }

        /** @type {custom.WrappedClass["set"]} */
        set(id, record) {
          super.set(id.toLowerCase(), record);
        }
      },
      "prefix: upper and lower case are different prefixes",
    ],
    [
      "forgets when a record expires",
      class extends custom.WrappedClass {
        /** @type {custom.WrappedClass["set"]} */
        set(id, record) {
          super.set(id, record && { ...record, expires: null });
        }
      },
      "expires: one second, in every spelling",
    ],
    [
      "manages expiry and does not look at it",
      class extends custom.Raw {
        /** @type {custom.Raw["keep"]} */
        keep(id, value, expires) {
          super.keep(id, value, expires === 0 ? 0 : null);
        }
      },
      "expires: one second, in every spelling",
    ],
    [
      "clears too much",
      class extends custom.WrappedClass {
        /** @param {string} _prefix */
        clear(_prefix) {
          this.data.clear();
        }
      },
      "prefix: clear() of a sub-store leaves its neighbours",
    ],
    [
      "lists a record twice",
      class extends custom.WrappedClass {
        /** @type {custom.WrappedClass["iterate"]} */
        *iterate(prefix) {
          yield* super.iterate(prefix);
          yield* super.iterate(prefix);
        }
      },
      "iteration: gives every record once",
    ],
  ];
  for (const [fault, Client, name] of faults) {
    test(fault, async () => {
      const found = contract({ kv, open: () => new Client() }).find((testCase) => testCase.name === name);
      assert.ok(found, `there is a case "${name}"`);
      await assert.rejects(found.run(), /expected: |should be/);
    });
  }
});

describe("contract()", () => {
  test("gives cases whose names differ", () => {
    const names = contract({ ...ofRecords, held: () => [] }).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  test("runs what is started at once one after the other, and gives the clock back", async () => {
    const { now } = Date;
    let open = 0;
    const cases = contract({
      kv,
      open() {
        assert.equal(++open, 1);
        return new custom.WrappedClass();
      },
      close: () => void --open,
    });
    const failing = contract({ kv, open: () => Promise.reject(new Error("not open")) });
    const outcomes = await Promise.allSettled([failing[0], ...cases, failing[1]].map(({ run }) => run()));
    assert.deepEqual(
      outcomes.flatMap(({ status }, i) => (status === "rejected" ? [i] : [])),
      [0, outcomes.length - 1],
    );
    assert.equal(Date.now, now);
  });

  test("takes a clock of the client's own", async () => {
    let elsewhere = 0;
    const clock = {
      now: 0,
      advance(/** @type {number} */ ms) {
        this.now += ms;
        elsewhere += ms;
      },
    };
    class OtherClock extends custom.Raw {
      /** @type {custom.Raw["alive"]} */
      alive(id) {
        const kept = this.data.get(id);
        return kept && kept.until > elsewhere ? kept : undefined;
      }

      /** @type {custom.Raw["keep"]} */
      keep(id, value, expires) {
        if (value === null || expires === 0) this.data.delete(id);
        else this.data.set(id, { value, until: expires === null ? Infinity : elsewhere + Number(expires) * 1000 });
      }
    }
    const options = { kv, open: () => new OtherClock(), clock };
    for (const { name, run } of contract(options)) await run().catch((error) => assert.fail(`${name}: ${error}`));
    assert.ok(elsewhere > 0);
  });

  test("refuses options that it cannot understand", () => {
    /** @type {[any, RegExp][]} */
    const wrong = [
      [undefined, /option kv/],
      [{ kv }, /option open/],
      [{ kv, open: new custom.WrappedClass() }, /option open; it must be a function/],
      [{ ...ofRecords, refuse: {} }, /no option refuse/],
      [{ ...ofRecords, refuses: { "long kay": "ERR_KEY" } }, /"long kay"/],
      [{ ...ofRecords, differs: ["long kay"] }, /"long kay"/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(
        () => contract(options),
        (/** @type {any} */ error) =>
          error instanceof PolystoreError && error.code === "ERR_OPTIONS" && message.test(error.message),
      );
    }
  });
});
