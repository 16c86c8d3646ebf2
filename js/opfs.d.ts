/**
 * `import "polystore-wasm/opfs"` puts the engine of `kv("opfs:…")` into the bundle. Service workers and bundlers that write one file
 * need this import.
 */
export {};
