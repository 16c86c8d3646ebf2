// Compiled, never run: what TypeScript users may write, and what must be an error.

import { createServer } from "node:http";
import kv, { PolystoreError, type ErrorCode, type Store, type Watcher } from "polystore-wasm";
import type { RecordClient, StoredRecord, ValueClient } from "polystore-wasm";
import { contract, type ContractCase } from "polystore-wasm/contract";
import { handler, listener } from "polystore-wasm/server";

const store: Store = kv();
kv(new Map());
kv(localStorage, { prefix: "a:", expires: "1h" });
kv("cookie");
kv("cookie", { cookie: { path: "/shop", domain: "example.com", sameSite: "lax", secure: true, partitioned: false } });
// @ts-expect-error
kv("cookie", { cookie: { sameSite: "Lax" } });
kv("indexeddb:settings");
kv(indexedDB);
kv(kv(sessionStorage));
kv("https://:token@example.com/store");
kv(new URL("http://localhost:3000"));
kv(Promise.resolve(new Map<string, unknown>()));

interface User {
  name: string;
}
const users = kv<User>(new Map()).prefix("user:").expires("2 hours").expires(null);
const user: User | null = await users.get("ada");
const key: string = await users.set("ada", { name: "Ada" }, { expires: 10 });
const fresh: string = await users.add({ name: "Grace" });
const removed: number = await users.prune();
const all: Record<string, User> = await users.all();
for await (const [key, { name }] of users) key.concat(name);
await Promise.all((await users.keys()).map(users.del));
const typed: number[] = await store.values<number>();
console.log(user, key, fresh, removed, all, typed, users.PREFIX.length, users.EXPIRES, users.type);

const records: RecordClient = {
  get: (key: string): StoredRecord | undefined => (key ? { expires: null, value: 1 } : undefined),
  set: () => {},
};
const values: ValueClient = { RAW: true, get: () => 1, set: (_key, _value, expires) => expires };
kv(records);
kv(values);
kv(
  class {
    RAW = true;
    get() {}
    set() {}
  },
);

kv<Date>({ RAW: true, get: () => new Date(), set: () => {} });
kv<Date>({ EXPIRES: true, get: () => new Date(), set: () => {} });
interface Tree {
  name: string;
  size?: number | undefined;
  parts: Tree[];
}
const forest: Store<Tree> = kv<Tree>(new Map());
kv<unknown>();
kv<Record<string, string[]>>(localStorage);
kv<[string, number | null]>();
console.log(forest);

try {
  await store.close();
} catch (error) {
  if (error instanceof PolystoreError && error.code === "ERR_CLOSED") console.log(error.cause);
}
const code: ErrorCode = "ERR_QUOTA";
console.log(code);

const watcher: Watcher<User> = users.watch("ada", {
  signal: new AbortController().signal,
  initial: true,
  reach: "process",
});
for await (const change of watcher) {
  if (change.type === "set") console.log(change.value.name, change.key);
  // @ts-expect-error Only a change that sets has a value.
  else console.log(change.value);
}
users.watch(({ type }) => console.log(type)).close();
users.watch({ gte: "a" }, ({ type }) => console.log(type), { initial: true }).close();
await watcher[Symbol.asyncDispose]();
// @ts-expect-error There is no such reach.
users.watch("ada", { reach: "everyone" });

const handle = handler(kv(new Map()).prefix("a:"), { token: "s3cret", maxBody: 1000, path: "/store", origin: "*" });
const answer: Response = await handle(new Request("http://localhost/store/key"));
createServer(listener(handle)).listen(3000);
console.log(answer.status);
// @ts-expect-error What it takes is a Request.
handle("http://localhost/store/key");
// @ts-expect-error What is served is a store.
handler(new Map());
// @ts-expect-error There is no such option.
handler(kv(), { tokens: [] });

// @ts-expect-error A binding that is missing is no client.
kv(undefined);
// @ts-expect-error JSON holds no Date.
kv<Date>();
// @ts-expect-error JSON holds none inside another value either.
kv<{ born: Date }>(new Map());
// @ts-expect-error JSON holds no functions.
kv<{ name: string; greet(): void }>(localStorage);
// @ts-expect-error There must be a value, be it null.
kv().set("a");
// @ts-expect-error A number is no client.
kv(42);
// @ts-expect-error It is "indexeddb:name".
kv("indexeddb");
// @ts-expect-error This has no set().
kv({ get: () => 1 });
// @ts-expect-error A pathname is not enough of a URL.
kv({ href: "/store" });
// @ts-expect-error The option is called `expires`.
kv().set("a", 1, { ttl: 10 });
// @ts-expect-error A User has a name.
users.set("a", { age: 1 });
// @ts-expect-error A Date is no expiry.
kv().expires(new Date());
// @ts-expect-error There is no such code.
new PolystoreError("ERR_TYPO", "");

const client = { data: new Map<string, StoredRecord>(), ...records };
const cases: ContractCase[] = contract({
  kv,
  open: async () => client,
  close: ({ data }) => data.clear(),
  held: ({ data }) => [...data.keys()],
  refuses: { "long key": "ERR_CLIENT" },
});
const verdict: "held" | "refused" | "skipped" = await cases[0].run();
console.log(cases[0].name, verdict);
// @ts-expect-error
contract({ kv, open: () => client, refuses: { "long kay": "ERR_CLIENT" } });
// @ts-expect-error
contract({ kv });
