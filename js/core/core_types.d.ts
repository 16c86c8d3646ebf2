// The core as JavaScript sees it: the declarations of wasm/bindings.cpp and the exports of wasm/abi.cpp.

type Enumeration<Name extends string> = Readonly<Record<Name, number>>;

export interface Core {
  Ask: Enumeration<
    | "nothing"
    | "read"
    | "put"
    | "remove"
    | "remove_if"
    | "make_key"
    | "add"
    | "clock"
    | "page"
    | "sift"
    | "sweep"
    | "change"
    | "commit"
    | "drain"
    | "close"
  >;
  Method: Enumeration<
    "get" | "set" | "add" | "has" | "del" | "list" | "clear" | "prune" | "close" | "change" | "ttl" | "size"
  >;
  Outcome: Enumeration<
    "done" | "value" | "absent" | "yes" | "no" | "closed" | "unsupported" | "renew" | "conflict" | "seconds"
  >;
  Trait: Enumeration<
    "manages_expiry" | "add" | "list" | "sweeps_all" | "sweeps_expired" | "closed" | "compares" | "transactions"
  >;
  Verdict: Enumeration<"leave" | "keep" | "remove">;

  parse_expires(length: number): number;
  readonly expires_address: number;
  readonly verdicts_address: number;
  readonly lives_address: number;
  readonly bytes_address: number;
  readonly page_length: number;
  readonly bytes_length: number;
  readonly id_length: number;
  readonly ask_bits: number;

  polystore_start(method: number, traits: number, number: number, flags: number): number;
  polystore_answer(step: number, found: 0 | 1, number: number): number;
  polystore_answer_page(step: number, count: number, end: 0 | 1): number;
  polystore_number(): number;
  polystore_abandon(step: number): void;
  polystore_make_id_characters(): number;

  readonly memory: WebAssembly.Memory;
}
