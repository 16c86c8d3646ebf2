import { VERSION } from "./version.js";

/** @typedef {import("../open/source.js").Source} Source */

/**
 * The state that all copies of this version in one program share. There may be several copies: in separate bundles, as a module and
 * as CommonJS, or loaded again by hot reloading. Another version has a state of its own, because its format may differ.
 * @typedef {object} Shared
 * @property {import("../core/core_types.js").Core} [core]
 * @property {WeakMap<object, Source>} sources The source of each client object, so that all stores over it share its connection.
 * @property {Map<string, Source>} namedSources The same for clients that are opened from a string.
 * @property {{ text: () => Promise<{ default: string }>, inPlace: () => Promise<typeof import("../clients/opfs/in_place.js")> }} [opfs] The
 *   modules that js/opfs.js adds to the bundle: the worker of a log as a text, and the module that does its work where no worker can run.
 */

const name = Symbol.for(`polystore-wasm ${VERSION}`);
/** @type {any} */
const program = globalThis;
/** @type {Shared} */
export const shared = (program[name] ??= { sources: new WeakMap(), namedSources: new Map() });
