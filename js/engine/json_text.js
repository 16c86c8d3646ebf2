import { PolystoreError, show } from "../support/errors.js";
import { decodeValue } from "../support/record.js";

/**
 * Decodes a value that a log stores as JSON text. No other code writes into a log, so a text that is not JSON is an error.
 * @param {string} key
 * @param {string} text
 * @throws {PolystoreError} ERR_CORRUPT
 */
export function decodeJson(key, text) {
  const value = decodeValue(text, key);
  if (value !== undefined) return value;
  throw new PolystoreError("ERR_CORRUPT", `The value at ${show(key)} is not valid JSON. Overwrite or delete it.`);
}
