import { useCallback, useSyncExternalStore } from "react";
import { liveEntries, liveValue } from "./live.js";

/** @type {typeof import("./react.d.ts").useValue} */
export const useValue = (store, key) => useLive(liveValue(store, key));

/** @type {typeof import("./react.d.ts").useEntries} */
export const useEntries = (store, range) => useLive(liveEntries(store, range));

/** @param {import("./live.js").Live} live */
function useLive(live) {
  const { home, name, first, now, subscribe } = live;
  // React subscribes again if the function is another one.
  const subscribeOnce = useCallback(subscribe, [home, name]);
  return useSyncExternalStore(subscribeOnce, now, () => first);
}
