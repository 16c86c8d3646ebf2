import { liveEntries, liveValue } from "./live.js";

/** @type {typeof import("./svelte.d.ts").useValue} */
export const useValue = (store, key) => readable(liveValue(store, key));

/** @type {typeof import("./svelte.d.ts").useEntries} */
export const useEntries = (store, range) => readable(liveEntries(store, range));

/** @param {import("./live.js").Live} live */
const readable = ({ now, subscribe }) => ({
  subscribe(/** @type {(snapshot: any) => void} */ run) {
    const unsubscribe = subscribe(() => run(now()));
    run(now());
    return unsubscribe;
  },
});
