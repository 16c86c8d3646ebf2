import { render as renderOnServer } from "svelte/server";
import { readable } from "svelte/store";
import Application from "./Application.svelte";

/** @param {import("./view.js").View[]} views */
export const render = async (views) => (await renderOnServer(Application, { props: { views: readable(views) } })).body;
