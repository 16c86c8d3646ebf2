/** The WebAssembly module of the engine as text, which wasm/embed.mjs writes. */
declare const text: string;
export default text;
