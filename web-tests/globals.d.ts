// What the pages of the tests leave on their window.

interface Window {
  localforage: any;
  /** The package `browser-level`. */
  browserLevel: any;
  kv: typeof import("polystore-wasm").default;
  PolystoreError: typeof import("polystore-wasm").PolystoreError;
  contract: (subject: string, name: string) => Promise<string>;
  interop: (client: string, check: "checkOneWay" | "checkExpiry", writer: string) => Promise<string>;
  bench: (table: string) => Promise<any[]>;
  count: (given: { library: string; storage: string; calls: number; waits: boolean }) => Promise<void>;
  readCount: (given: { library: string; storage: string }) => Promise<number>;
  acknowledge: () => Promise<void>;
  unstorage: () => any;
}

/** What a Worker of Cloudflare has everywhere. */
declare module "cloudflare:workers" {
  export const env: { KV: any };
}

// Which come without types.
declare module "better-sqlite3" {
  const Database: new (path: string, options?: object) => any;
  export default Database;
}
declare module "bun:sqlite" {
  export const Database: new (path: string, options?: object) => any;
}
