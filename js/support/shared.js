import { VERSION } from "./version.js";

/** @typedef {import("../open/source.js").Source} Source */

/**
 * What all copies of this version in one program share: those that are bundled apart, the module and the CommonJS build, and
 * what hot reloading loads again. Another version has its own, for it may not understand ours.
 * @typedef {object} Shared
 * @property {import("../core/core_types.js").Core} [core]
 * @property {WeakMap<object, Source>} sources Of each client, so that all stores over one client share its connection.
 * @property {Map<string, Source>} namedSources The same for clients that are given as a string.
 * @property {{ text: () => Promise<{ default: string }>, inPlace: () => Promise<typeof import("../clients/opfs/in_place.js")> }} [opfs] What
 *   js/opfs.js brings along: the worker of a log in the browser, as a text, and what serves in place of it.
 */

const name = Symbol.for(`polystore-wasm ${VERSION}`);
/** @type {any} */
const program = globalThis;
/** @type {Shared} */
export const shared = (program[name] ??= { sources: new WeakMap(), namedSources: new Map() });
