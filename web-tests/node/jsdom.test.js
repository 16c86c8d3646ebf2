// The localStorage that Jest and Vitest have: its own properties may be symbols as well.

// @ts-expect-error It has no types.
import { JSDOM } from "jsdom";
import kv from "polystore-wasm";
import { storage } from "../contract/clients.js";
import { testContract } from "../contract/suite.js";

const { window } = new JSDOM("", { url: "http://localhost/" });
Object.assign(globalThis, { Storage: window.Storage });

testContract(storage(kv, "localStorage of jsdom", () => window.localStorage));
