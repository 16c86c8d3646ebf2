// The server puts the package's dist/ here.
export * from "polystore-wasm";
export { default } from "polystore-wasm";
