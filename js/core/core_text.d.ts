/** The core, as wasm/embed.mjs writes it. */
declare const text: string;
export default text;
