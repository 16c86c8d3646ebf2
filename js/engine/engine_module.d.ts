import type { Files } from "./files.js";

// The module of wasm/engine/abi.cpp, where each call is documented. Emscripten's glue adds these members to the object that it gets.

export interface EngineModule {
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): WebAssembly.Exports;
  files: Files;

  _polystore_engine_input(size: number): number;
  _polystore_engine_output(): number;
  _polystore_engine_output_size(): number;
  _polystore_engine_number(): number;
  _polystore_engine_maintenance(): number;

  _polystore_engine_open(pathLength: number): number;
  _polystore_engine_close(): void;
  _polystore_engine_get(keyLength: number): number;
  _polystore_engine_expiry(keyLength: number): 0 | 1;

  _polystore_engine_put(keyLength: number, valueLength: number, expires: number): number;
  _polystore_engine_erase(keyLength: number): number;
  _polystore_engine_clear(startLength: number, endLength: number): number;
  _polystore_engine_prune(startLength: number, endLength: number, now: number, limit: number): number;
  _polystore_engine_note(session: number, sequence: number, result: number, now: number): number;
  _polystore_engine_erase_note(session: number): number;
  _polystore_engine_apply(): number;
  _polystore_engine_noted(session: number, sequence: number): number;
  _polystore_engine_forget_notes(before: number): number;

  _polystore_engine_scan(startLength: number, endLength: number, limit: number, reverse: boolean): number;
  _polystore_engine_next(scan: number, limit: number, withValues: boolean): number;
  _polystore_engine_end_scan(scan: number): void;

  _polystore_engine_next_expiry(): number;
  _polystore_engine_applied(): number;
  _polystore_engine_flushed(): number;
  _polystore_engine_begin_flush(): number;
  _polystore_engine_end_flush(messageLength: number): number;
  _polystore_engine_mark_synced(): void;
  _polystore_engine_wants_compaction(): 0 | 1;
  _polystore_engine_compact(bytes: number): number;

  readonly HEAPU8: Uint8Array<ArrayBuffer>;
}

export default function instantiate(module: Partial<EngineModule>): void;
