/**
 * Tells whether two values are the same JSON. Members in another order are another JSON: a user sees their order, so a change of it is
 * stored.
 * @param {unknown} one
 * @param {unknown} other
 */
export function isSameJson(one, other) {
  if (one === other || typeof one !== "object" || typeof other !== "object") return one === other;
  return JSON.stringify(one) === JSON.stringify(other);
}
