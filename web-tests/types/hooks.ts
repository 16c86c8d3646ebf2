// Compiled, never run: the hooks have the types of the store.

import kv, { type PolystoreError } from "polystore-wasm";
import { useEntries as useReactEntries, useValue as useReactValue } from "polystore-wasm/react";
import { useEntries as useSvelteEntries, useValue as useSvelteValue } from "polystore-wasm/svelte";
import { useEntries as useVueEntries, useValue as useVueValue } from "polystore-wasm/vue";
import type { Readable } from "svelte/store";
import { ref, type Ref } from "vue";

interface User {
  name: string;
}
const users = kv<User>(new Map());

const user: User | null = useReactValue(users, "ada").value;
const count: number | null = useReactValue<number>(kv(), "count").value;
const error: PolystoreError | null = useReactValue(users, "ada").error;
const entries: [string, User][] = useReactEntries(users, { gte: "a", limit: 3 }).value;
// @ts-expect-error There may be no value.
useReactValue(users, "ada").value.name;
// @ts-expect-error
const wrong: number | null = useReactValue(users, "ada").value;

const userRef: Readonly<Ref<User | null>> = useVueValue(users, () => "ada").value;
const loadingRef: Readonly<Ref<boolean>> = useVueValue(ref("") && users, ref("ada")).loading;
const entriesRef: Readonly<Ref<[string, User][]>> = useVueEntries(users, () => ({ reverse: true })).value;

const userStore: Readable<{ value: User | null; loading: boolean }> = useSvelteValue(users, "ada");
const entriesStore: Readable<{ value: [string, User][] }> = useSvelteEntries(users);

console.log(user, count, error, entries, wrong, userRef, loadingRef, entriesRef, userStore, entriesStore);
