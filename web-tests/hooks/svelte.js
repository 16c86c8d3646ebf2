import * as svelte from "svelte";
import { writable } from "svelte/store";
import Application from "./Application.svelte";

/** @typedef {import("./view.js").View} View */

/** @type {import("svelte/store").Writable<View[]>} */
const shown = writable([]);
/** @type {Record<string, unknown> | undefined} */
let mounted;

/** @param {View[]} views */
export function show(views) {
  shown.set(views);
  mounted ??= svelte.mount(Application, { target: document.body, props: { views: shown } });
}

/** @param {View[]} views */
export function hydrate(views) {
  shown.set(views);
  mounted = svelte.hydrate(Application, { target: document.body, props: { views: shown } });
}

export async function hide() {
  const application = mounted;
  mounted = undefined;
  if (application) await svelte.unmount(application);
}
