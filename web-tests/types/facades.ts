// Compiled, never run: the types of the stores for other libraries fit those of the libraries.

import axios from "axios";
import { buildStorage, setupCache } from "axios-cache-interceptor";
import { betterAuth } from "better-auth";
import { rateLimit } from "express-rate-limit";
import session from "express-session";
import { rateLimiter } from "hono-rate-limiter";
import { sessionMiddleware } from "hono-sessions";
import * as real from "idb-keyval";
import { atomWithStorage, createJSONStorage as createJotaiStorage } from "jotai/vanilla/utils";
import { Keyv as Keyv5 } from "keyv5";
import { Keyv as Keyv6 } from "keyv6";
import kv from "polystore-wasm";
import { cacheStorage } from "polystore-wasm/axios-cache-interceptor";
import { secondaryStorage } from "polystore-wasm/better-auth";
import { rateLimitStore } from "polystore-wasm/express-rate-limit";
import { sessionStore } from "polystore-wasm/express-session";
import { sessionStore as honoSessionStore } from "polystore-wasm/hono-sessions";
import { idbKeyval } from "polystore-wasm/idb-keyval";
import { keyvStore } from "polystore-wasm/keyv";
import { asyncStorage } from "polystore-wasm/storage";
import { unstorageDriver } from "polystore-wasm/unstorage";
import type { Storage } from "redux-persist";
import { createAsyncStoragePersister } from "@tanstack/query-async-storage-persister";
import { createStorage as createStorage1 } from "unstorage1";
import { createStorage as createStorage2 } from "unstorage2";
import { createJSONStorage } from "zustand/middleware";

const store = kv<{ some: string }>();

setupCache(axios.create(), { storage: buildStorage(cacheStorage(store)) });
betterAuth({ secondaryStorage: secondaryStorage(store) });
rateLimit({ store: rateLimitStore(store) });
rateLimiter({ store: rateLimitStore(store), keyGenerator: () => "" });
session({ secret: "s", store: sessionStore(store, session) });
sessionMiddleware({ store: honoSessionStore(store) });
new Keyv5({ store: keyvStore(store) });
new Keyv6({ store: keyvStore(store) });
createStorage1({ driver: unstorageDriver(store) });
createStorage2({ driver: unstorageDriver(store) });
createJSONStorage(() => asyncStorage(store));
atomWithStorage(
  "key",
  0,
  createJotaiStorage(() => asyncStorage(store)),
);
createAsyncStoragePersister({ storage: asyncStorage(store) });
const storage: Storage = asyncStorage(store);

const functions = idbKeyval(store);
const name: string | undefined = await functions.get<string>("key");
const keys: string[] = await functions.keys<string>();
const found: [IDBValidKey, any][] = await functions.entries();
const key: IDBValidKey = new Uint8Array();
await functions.set(key, name, functions.createStore("database", "store"));
const count: number | undefined = await functions.update<number>("count", (count = 0) => count + 1);
const get: typeof real.get extends (key: infer Key) => any ? (key: Key) => Promise<any> : never = functions.get;
// @ts-expect-error
await functions.get({});

console.log(storage, keys, found, count, get);
