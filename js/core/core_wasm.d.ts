/** The core as a Worker imports it: a module that was compiled when the Worker was deployed. */
declare const core: WebAssembly.Module;
export default core;
