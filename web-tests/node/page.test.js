import assert from "node:assert/strict";
import { test } from "node:test";

test("a page is not advised to use a file URL", async () => {
  const { default: kv } = await import(new URL("../../dist/index.js", import.meta.url).href);
  assert.throws(
    () => kv("file:///x.json"),
    ({ code, message }) => code === "ERR_CLIENT" && /"opfs:name"/.test(message) && !/file:.*file:/.test(message),
  );
});
