// A store as the storage of the libraries that keep the state of a page, in the libraries themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryClient } from "@tanstack/query-core";
import { createAsyncStoragePersister } from "@tanstack/query-async-storage-persister";
import {
  experimental_createQueryPersister as createQueryPersister,
  persistQueryClientRestore,
  persistQueryClientSave,
} from "@tanstack/query-persist-client-core";
import { createStore as createJotaiStore } from "jotai/vanilla";
import { atomWithStorage, createJSONStorage as createJotaiStorage } from "jotai/vanilla/utils";
import kv from "polystore-wasm";
import { asyncStorage } from "polystore-wasm/storage";
import { createStore as createReduxStore } from "redux";
import { persistReducer, persistStore } from "redux-persist";
import { createJSONStorage, persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("storage");

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [name, open] of clients) {
  test(`zustand keeps its state over ${name}`, async () => {
    const store = kv(open());
    const storage = createJSONStorage(() => asyncStorage(store));
    const make = () => createStore(persist(() => ({ bears: 0 }), { name: "bears", storage }));
    const first = make();
    await first.persist.rehydrate();
    first.setState({ bears: 3 });
    const second = make();
    await second.persist.rehydrate();
    assert.equal(second.getState().bears, 3);
    await second.persist.clearStorage();
    assert.deepEqual(await store.keys(), []);
    await store.close();
  });
}

test("jotai keeps its atoms", async () => {
  const strings = asyncStorage(kv());
  const storage = createJotaiStorage(() => strings); // Jotai calls the function at each access.
  const countAtom = () => atomWithStorage("count", 0, /** @type {any} */ (storage), { getOnInit: true });
  const atom = countAtom();
  const first = createJotaiStore();
  assert.equal(await first.get(atom), 0);
  await first.set(atom, 5);
  assert.equal(await createJotaiStore().get(countAtom()), 5);
});

test("redux-persist keeps its state", async () => {
  const storage = asyncStorage(kv());
  const count = (state = { count: 0 }, /** @type {any} */ { type }) =>
    type === "add" ? { count: state.count + 1 } : state;
  const open = async () => {
    const store = createReduxStore(persistReducer({ key: "root", storage }, /** @type {any} */ (count)));
    const persistor = await new Promise((resolve) => {
      const persistor = persistStore(store, null, () => resolve(persistor));
    });
    return { store, persistor };
  };
  const first = await open();
  first.store.dispatch({ type: "add" });
  await first.persistor.flush();
  const second = await open();
  assert.equal(/** @type {any} */ (second.store.getState()).count, 1);
  for (const { persistor } of [first, second]) persistor.pause();
});

test("TanStack Query keeps its cache", async () => {
  const persister = createAsyncStoragePersister({ storage: asyncStorage(kv()), throttleTime: 0 });
  const [first, second] = [new QueryClient(), new QueryClient()];
  first.setQueryData(["user"], { name: "Ada" });
  await persistQueryClientSave({ queryClient: first, persister });
  await persistQueryClientRestore({ queryClient: second, persister });
  assert.deepEqual(second.getQueryData(["user"]), { name: "Ada" });
  for (const client of [first, second]) client.clear();
});

test("TanStack Query keeps single queries, and removes those that are too old", async () => {
  const store = kv();
  const { persisterGc, persistQueryByKey } = createQueryPersister({ storage: asyncStorage(store), maxAge: 1 });
  const client = new QueryClient();
  client.setQueryData(["old"], 1, { updatedAt: 1 });
  await persistQueryByKey(["old"], client);
  assert.equal(await store.size(), 1);
  await persisterGc();
  assert.equal(await store.size(), 0);
  client.clear();
});

test("it has the methods of AsyncStorage 3", async () => {
  const storage = asyncStorage(kv());
  await storage.setMany({ a: "1", b: "2", ["__proto__"]: "3" });
  assert.deepEqual((await storage.getAllKeys()).sort(), ["__proto__", "a", "b"]);
  const many = await storage.getMany(["__proto__", "a", "x"]);
  assert.deepEqual(Object.entries(many), [
    ["__proto__", "3"],
    ["a", "1"],
    ["x", null],
  ]);
  await storage.removeMany(["a", "__proto__"]);
  assert.deepEqual(await storage.entries(), [["b", "2"]]);
  assert.equal(await storage.setItem("c", ""), undefined);
  assert.equal(await storage.getItem("c"), "");
  assert.equal(await storage.removeItem("c"), undefined);
  await storage.clear();
  assert.deepEqual(await storage.getAllKeys(), []);
});
