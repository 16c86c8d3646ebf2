// Compiled, never run, with the types of neither a page nor Node, and the declarations of the package are checked with it. A
// name in them that is not there would count as `any`, and whatever holds it: then kv() would take anything.

import kv, { type StorageClient } from "polystore-wasm";
import { handler } from "polystore-wasm/server";

kv(new Map());
kv(Promise.resolve(new Map<string, unknown>()));
kv({ get: () => null, set: () => {} });
kv("https://example.com");
declare const storage: StorageClient;
kv(storage);
handler(kv());

// @ts-expect-error
kv(null);
// @ts-expect-error
kv(5);
// @ts-expect-error
kv("hello");
// @ts-expect-error
kv([]);
// @ts-expect-error
kv(Promise.resolve(5));
// @ts-expect-error
kv({ href: 5 });
// @ts-expect-error
handler(new Map());
