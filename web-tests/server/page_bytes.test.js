// A page of an iteration ends at a number of bytes, too: 1,000 values of 10 MB are more than there is memory for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openLog } from "../../js/clients/log/log.js";
import { filesFor, urlOf } from "../support/files.js";
import { goThroughLarge } from "../support/pages.js";

const { freshPath } = filesFor("page-bytes");

/** 1 MB, and the value that passes it. */
const MOST = 1_400_000;

test("the pages of a log", async () => {
  const client = await openLog(urlOf(freshPath(".kv")), "relaxed");
  const { found, largest } = await goThroughLarge(client);
  await client.close();
  assert.equal(found, 12);
  assert.ok(largest < MOST, `a page has ${largest} bytes`);
});
