// The calls of users, with the data that their operations need outside the core.

import { NEVER } from "./core.js";

/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */

/**
 * One call of a user, with the data that its operation needs outside the core. Every property costs `get` some nanoseconds, so
 * the properties that few calls need are in the classes below.
 */
export class Task {
  /** The record that was read. @type {StoredRecord | null} */
  record = null;
  /**
   * @param {number} method
   * @param {string} key
   * @param {string} id The key with its prefix.
   */
  constructor(method, key, id) {
    this.method = method;
    this.key = key;
    this.id = id;
  }
}

/** A `get` that renews the life of the value. */
export class Sliding extends Task {
  /**
   * @param {number} method
   * @param {string} key
   * @param {string} id The key with its prefix.
   * @param {number} life In seconds.
   * @param {(connection: import("./connection.js").Connection, id: string) => void} renew
   */
  constructor(method, key, id, life, renew) {
    super(method, key, id);
    this.life = life;
    this.renew = renew;
  }
}

/** An error that the user's own function threw. It reaches the user unchanged. */
export class Thrown {
  /** @param {unknown} error */
  constructor(error) {
    this.error = error;
  }
}

/** A call that writes. */
export class Writing extends Task {
  /** The start of the value's life, in milliseconds since the epoch; 0 if it does not expire. */
  now = 0;
  /**
   * @param {number} method
   * @param {string} key
   * @param {string} id The key with its prefix; for `add`, the prefix.
   * @param {any} value
   * @param {number} expires In seconds, or NEVER.
   */
  constructor(method, key, id, value, expires) {
    super(method, key, id);
    this.value = value;
    this.expires = expires;
  }
}

/** @type {(key: string, value: any) => any} */
const keyOnly = (key) => key;
/** @type {import("./client.js").Page} */
const NOTHING = { ids: [], found: [] };
/** @type {import("../store/options.js").Bounds} */
const NONE = {};

/** A call that goes through all records with a prefix. */
export class Listing extends Task {
  /** The results that are not yet handed to the user. @type {any[]} */
  kept = [];
  /** @type {Iterator<any> | AsyncIterator<any> | null} */
  pages = null;
  /** The latest page of the client. @type {import("./client.js").Page} */
  given = NOTHING;
  /** How many records of that page the core has seen. It sees one part at a time, because a client's page may be the whole store. */
  seen = 0;
  /** The page that the core sees: full keys and records. @type {{ ids: string[], records: StoredRecord[] }} */
  page = { ids: [], records: [] };
  /** How many records the client has listed since its listing began. */
  listed = 0;
  /** The full key of the last of them. */
  last = "";

  /**
   * @param {number} method
   * @param {string} prefix
   * @param {import("./client.js").Wanted} [wanted] "keys" serves for removing too, which needs only keys and expiries.
   * @param {(key: string, value: any) => any} [project] Makes the result of a record.
   * @param {import("../store/options.js").Bounds} [bounds] Without the prefix.
   */
  constructor(method, prefix, wanted = "keys", project = keyOnly, bounds = NONE) {
    super(method, "", prefix);
    this.wanted = wanted;
    this.project = project;
    this.bounds = bounds;
    this.limit = bounds.limit ?? NEVER;
  }
}
