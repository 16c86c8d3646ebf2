/** The program of the worker, as wasm/bundle.mjs makes it of js/clients/opfs/worker.js. */
declare const text: string;
export default text;
