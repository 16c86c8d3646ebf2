import { createApp, createSSRApp, defineComponent, h, shallowRef } from "vue";
import { renderToString } from "vue/server-renderer";
import { useEntries, useValue } from "polystore-wasm/vue";
import { storeOf, textOf } from "./view.js";

/** @typedef {import("./view.js").View} View */

const Part = defineComponent({
  props: { view: { type: Object, required: true } },
  setup(props) {
    const view = () => /** @type {View} */ (props.view);
    const { value, loading, error } =
      view().key === undefined
        ? useEntries(
            () => storeOf(view()),
            () => view().range,
          )
        : useValue(
            () => storeOf(view()),
            () => view().key ?? "",
          );
    return () => h("output", textOf({ value: value.value, loading: loading.value, error: error.value }));
  },
});

/** @type {import("vue").ShallowRef<View[]>} */
const shown = shallowRef([]);
const application = { render: () => shown.value.map((view, i) => h(Part, { key: i, view })) };

/** @type {import("vue").App | undefined} */
let mounted;

/** @param {View[]} views */
export function show(views) {
  shown.value = views;
  if (mounted) return;
  mounted = createApp(application);
  mounted.mount(document.body);
}

/** @param {View[]} views */
export function hydrate(views) {
  shown.value = views;
  mounted = createSSRApp(application);
  mounted.mount(document.body);
}

export function hide() {
  mounted?.unmount();
  mounted = undefined;
}

/** @param {View[]} views */
export async function render(views) {
  shown.value = views;
  return renderToString(createSSRApp(application));
}
