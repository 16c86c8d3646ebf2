import core from "#core-wasm";

/** Returns the core as an imported module, because Cloudflare Workers cannot compile WebAssembly at run time. */
export const compiledCore = () => core;
