import { computed, shallowRef, toRaw, toValue, watchPostEffect } from "vue";
import { liveEntries, liveValue } from "./live.js";

/** @type {typeof import("./vue.d.ts").useValue} */
export const useValue = (store, key) => useLive(() => liveValue(toRaw(toValue(store)), toValue(key)));

/** @type {typeof import("./vue.d.ts").useEntries} */
export const useEntries = (store, range) => useLive(() => liveEntries(toRaw(toValue(store)), toRaw(toValue(range))));

/** @param {() => import("./live.js").Live} current */
function useLive(current) {
  const live = computed(current);
  /** How often something else was to be shown: never on a server, and not before the component is mounted. */
  const shown = shallowRef(0);
  const snapshot = computed(() => (shown.value > 0 ? live.value.now() : live.value.first));
  let count = 0;
  const show = () => {
    shown.value = ++count;
  };
  watchPostEffect((onCleanup) => {
    onCleanup(live.value.subscribe(show));
    show();
  });
  return {
    value: computed(() => snapshot.value.value),
    loading: computed(() => snapshot.value.loading),
    error: computed(() => snapshot.value.error),
  };
}
