import kv, { PolystoreError } from "../../dist/index.js";

Object.assign(window, { kv, PolystoreError });
