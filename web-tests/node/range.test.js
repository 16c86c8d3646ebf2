import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { boundsOf, compareTexts, isInRange, selectIds } from "../../js/support/range.js";

const text = fc.string({ unit: "binary", maxLength: 4 });
const bound = fc.option(text, { nil: undefined });
const ranges = fc.record({
  prefix: fc.string({ unit: "binary", maxLength: 1 }),
  gt: bound,
  gte: bound,
  lt: bound,
  lte: bound,
});

const compareBytes = (/** @type {string} */ one, /** @type {string} */ other) =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

test("texts are compared as the bytes of their UTF-8 are", () => {
  const property = fc.property(text, text, (one, other) => {
    assert.equal(Math.sign(compareTexts(one, other)), compareBytes(one, other));
  });
  fc.assert(property, { numRuns: 2000 });
});

test("the bounds of a range hold the texts in it, and no others", () => {
  const property = fc.property(ranges, text, (range, id) => {
    const bounds = boundsOf(range);
    const [start, end] = bounds ?? ["", ""];
    const isBetween = compareBytes(start, id) <= 0 && (end === null || compareBytes(id, end) < 0);
    assert.equal(isBetween, isInRange(id, range));
  });
  fc.assert(property, { numRuns: 5000 });
});

test("what a range selects is in order, and as much as its limit says", () => {
  const property = fc.property(fc.uniqueArray(text), ranges, fc.nat(5), fc.boolean(), (ids, range, limit, reverse) => {
    const expected = ids.filter((id) => isInRange(id, range)).sort(compareBytes);
    if (reverse) expected.reverse();
    assert.deepEqual(selectIds(ids, { ...range, reverse, limit }), expected.slice(0, limit));
  });
  fc.assert(property);
});
