// Compiled, never run: what TypeScript users may write, and what must be an error.

import kv, { PolystoreError, type ErrorCode, type Store } from "polystore-wasm";
import type { RecordClient, StoredRecord, ValueClient } from "polystore-wasm";

const store: Store = kv();
kv(new Map());
kv(localStorage, { prefix: "a:", expires: "1h" });
kv("cookie");
kv(kv(sessionStorage));
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

try {
  await store.close();
} catch (error) {
  if (error instanceof PolystoreError && error.code === "ERR_CLOSED") console.log(error.cause);
}
const code: ErrorCode = "ERR_QUOTA";
console.log(code);

// @ts-expect-error A number is no client.
kv(42);
// @ts-expect-error This has no set().
kv({ get: () => 1 });
// @ts-expect-error The option is called `expires`.
kv().set("a", 1, { ttl: 10 });
// @ts-expect-error A User has a name.
users.set("a", { age: 1 });
// @ts-expect-error A Date is no expiry.
kv().expires(new Date());
// @ts-expect-error There is no such code.
new PolystoreError("ERR_TYPO", "");
