// The components of all frameworks share this code.

/** A component shows the value at a key or the entries of a range, of a store of the page. @typedef {{ store: string, prefix?: string, key?: string, range?: import("polystore-wasm").Range }} View */

/** @type {any} */
const page = globalThis;

/** Returns the store of a view. A sub-store is made anew each time, as components do. @param {View} view */
export function storeOf({ store, prefix }) {
  const found = page.stores[store];
  return prefix === undefined ? found : found.prefix(prefix);
}

/**
 * Returns the text of a component, and counts how often one was rendered.
 * @param {{ value: unknown, loading: boolean, error: import("polystore-wasm").PolystoreError | null }} live
 */
export function textOf({ value, loading, error }) {
  page.renders = (page.renders ?? 0) + 1;
  return JSON.stringify({ value, loading, error: error?.code ?? null });
}
