/** The source of the worker's program: wasm/bundle.mjs bundles it from js/clients/opfs/worker.js. */
declare const text: string;
export default text;
