import core from "#core-wasm";

/** The core as a module of its own: Cloudflare's Workers compile nothing at run time. */
export const compiledCore = () => core;
