import { createElement, StrictMode, startTransition } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { useEntries, useValue } from "polystore-wasm/react";
import { storeOf, textOf } from "./view.js";

/** @typedef {import("./view.js").View} View */

/** @param {{ view: View }} props */
function Value({ view }) {
  return createElement("output", null, textOf(useValue(storeOf(view), view.key ?? "")));
}

/** @param {{ view: View }} props */
function Entries({ view }) {
  return createElement("output", null, textOf(useEntries(storeOf(view), view.range)));
}

/** @param {View[]} views */
const application = (views) =>
  createElement(
    StrictMode,
    null,
    views.map((view, i) => createElement(view.key === undefined ? Entries : Value, { key: i, view })),
  );

/** @type {import("react-dom/client").Root | undefined} */
let root;

/** @param {View[]} views */
export function show(views) {
  root ??= createRoot(document.body);
  startTransition(() => root?.render(application(views)));
}

/** @param {View[]} views */
export function hydrate(views) {
  root = hydrateRoot(document.body, application(views));
}

export function hide() {
  root?.unmount();
  root = undefined;
}

/** @param {View[]} views */
export const render = async (views) => renderToString(application(views));
