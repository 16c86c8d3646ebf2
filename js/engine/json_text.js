import { PolystoreError, show } from "../support/errors.js";
import { mayOverflow, requireFinite } from "../support/record.js";

/**
 * Decodes a value that a log stores as JSON text.
 * @param {string} key
 * @param {string} text
 * @throws {PolystoreError} ERR_CORRUPT
 */
export function decodeJson(key, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = `What is stored at ${show(key)} is not JSON: ${/** @type {Error} */ (error).message}.`;
    throw new PolystoreError("ERR_CORRUPT", message, { cause: error });
  }
  if (mayOverflow(text)) requireFinite(value, key);
  return value;
}
