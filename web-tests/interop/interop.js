// What one library writes, the other reads: run with ours and with the npm package `polystore`, in both directions.

/** @typedef {(client: any) => any} Kv */

/** Everything that both must store alike. Cookies cannot hold an empty key, and little else would differ. */
const ENTRIES = /** @type {[string, any][]} */ ([
  ["text", "Hello, wörld 🌍"],
  ["empty text", ""],
  ["zero", 0],
  ["fraction", -12.5],
  ["large", 1e21],
  ["yes", true],
  ["no", false],
  ["object", { name: "Ada", tags: ["a", "b"], deep: { down: [{ there: null }] } }],
  ["array", [1, "two", [3], { four: 4 }]],
  ["quote\"s & 'signs'; = %41", "a=b; c"],
  ["ключ/名前?*[x]:", { "": 1 }],
  ["a:b:c", "colons"],
]);

/**
 * Writes with one library and reads with the other.
 * @param {Kv} writer
 * @param {Kv} reader
 * @param {any} client An empty client.
 */
export async function checkOneWay(writer, reader, client) {
  const written = writer(client);
  for (const [key, value] of ENTRIES) await written.set(key, value);
  await written.set("lives", "still here", { expires: "1h" });
  await written.prefix("session:").set("user", { id: 7 }, { expires: 60 });

  const read = reader(client);
  for (const [key, value] of ENTRIES) check(key, await read.get(key), value);
  check("lives", await read.get("lives"), "still here");
  check("session:user", await read.prefix("session:").get("user"), { id: 7 });
  const keys = [...ENTRIES.map(([key]) => key), "lives", "session:user"].sort();
  check("keys()", (await read.keys()).sort(), keys);
  check("prefix keys()", await read.prefix("session:").keys(), ["user"]);

  await read.del("text");
  check("a key that the other deleted", await written.has("text"), false);
  await read.set("zero", "changed");
  check("a value that the other changed", await written.get("zero"), "changed");
}

/**
 * Checks that both agree on when something expires.
 * @param {Kv} writer
 * @param {Kv} reader
 * @param {any} client An empty client.
 */
export async function checkExpiry(writer, reader, client) {
  const realNow = Date.now;
  let now = realNow();
  Date.now = () => now;
  try {
    await writer(client).set("brief", "gone soon", { expires: "10s" });
    // polystore asks `new Date()` when it writes, which is not ours to set: hence a second to both sides.
    now += 9_000;
    check("before its time", await reader(client).get("brief"), "gone soon");
    now += 2_000;
    check("after its time", await reader(client).get("brief"), null);
  } finally {
    Date.now = realNow;
  }
}

/**
 * @param {string} what
 * @param {any} actual
 * @param {any} expected
 */
function check(what, actual, expected) {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}
