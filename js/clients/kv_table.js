import { PolystoreError } from "../support/errors.js";

/**
 * Refuses a table kv that lacks the columns id, value and expires_at.
 * @param {string[]} columns The columns of the existing table.
 * @param {string} wayOut What the user can do instead of renaming that table.
 * @throws {PolystoreError} ERR_CLIENT
 */
export function requireColumns(columns, wayOut) {
  if (["id", "value", "expires_at"].every((name) => columns.includes(name))) return;
  const message = `The table kv of this database has the columns ${columns.join(", ")} instead of id, value and expires_at: it was not created by polystore. Rename that table, or ${wayOut}.`;
  throw new PolystoreError("ERR_CLIENT", message);
}
