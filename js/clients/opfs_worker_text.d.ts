/** The program of the worker, as wasm/bundle.mjs makes it of js/engine/opfs_worker.js. */
declare const text: string;
export default text;
