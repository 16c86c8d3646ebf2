/** The core as the text that wasm/embed.mjs writes. */
declare const text: string;
export default text;
