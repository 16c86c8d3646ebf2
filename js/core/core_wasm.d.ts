/** The core, as a Worker imports it: compiled when the Worker was deployed. */
declare const core: WebAssembly.Module;
export default core;
