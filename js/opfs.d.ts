/**
 * `import "polystore-wasm/opfs"` puts the engine of `kv("opfs:…")` into the bundle. Bundlers that make one file, and service workers, need it.
 */
export {};
