import { PolystoreError } from "../support/errors.js";

/**
 * Refuses a table kv that has not the columns of polystore's.
 * @param {string[]} columns Of the table that is there.
 * @param {string} wayOut
 * @throws {PolystoreError} ERR_CLIENT
 */
export function requireColumns(columns, wayOut) {
  if (["id", "value", "expires_at"].every((name) => columns.includes(name))) return;
  const message = `The table kv of this database has the columns ${columns.join(", ")}, and not id, value and expires_at: it is other code's. Rename it, or ${wayOut}.`;
  throw new PolystoreError("ERR_CLIENT", message);
}
