import { PolystoreError } from "../support/errors.js";
import { ATOMICITIES } from "./options.js";

/** @typedef {import("../core/client.js").Atomicity} Atomicity */

/**
 * @param {import("../core/connection.js").Connection} connection
 * @param {Atomicity} required
 * @throws {PolystoreError} ERR_UNSUPPORTED if a change over this client keeps fewer writers out.
 */
export function requireAtomic({ type, client }, required) {
  const { atomic } = client.traits;
  if (ATOMICITIES.indexOf(atomic) >= ATOMICITIES.indexOf(required)) return;
  const message = `The option atomic is "${required}", but a ${type} client only gives "${atomic}". Use another storage, or require less.`;
  throw new PolystoreError("ERR_UNSUPPORTED", message);
}
