// What Emscripten's glue puts on the object it is given: what wasm/bindings.cpp declares, and the exports of wasm/abi.cpp.

/** An enumeration as wasm/embind_numbers.js makes it. */
export type Enumeration<Name extends string> = Readonly<Record<Name, number>>;

export interface Core {
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): WebAssembly.Exports;

  Ask: Enumeration<
    | "nothing"
    | "read"
    | "has"
    | "write"
    | "erase"
    | "evict"
    | "make_key"
    | "add"
    | "clock"
    | "page"
    | "sift"
    | "clear"
    | "prune"
    | "drain"
    | "close"
  >;
  Method: Enumeration<"get" | "set" | "add" | "has" | "del" | "list" | "clear" | "prune" | "close">;
  Outcome: Enumeration<"done" | "value" | "absent" | "yes" | "no" | "closed" | "unsupported">;
  Trait: Enumeration<"manages_expiry" | "has" | "add" | "list" | "clear" | "prune" | "closed">;
  Verdict: Enumeration<"leave" | "keep" | "evict">;

  parse_expires(length: number): number;
  readonly expires_address: number;
  readonly verdicts_address: number;
  readonly bytes_address: number;
  readonly page_length: number;
  readonly bytes_length: number;
  readonly id_length: number;

  _polystore_start(method: number, traits: number, expires: number, hasValue: 0 | 1): number;
  _polystore_answer(step: number, found: 0 | 1, number: number): number;
  _polystore_answer_page(step: number, count: number, end: 0 | 1): number;
  _polystore_number(): number;
  _polystore_abandon(step: number): void;
  _polystore_make_id_characters(): number;

  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  readonly HEAPF64: Float64Array<ArrayBuffer>;
}

export default function instantiate(core: Partial<Core>): void;
