import { PolystoreError, PolystoreTypeError, show } from "../../support/errors.js";
import { JSON_TYPE } from "../../http/protocol.js";
import { KEY_ONLY, mayOverflow, requireFinite } from "../../support/record.js";

/** @typedef {import("../../http/protocol.js").Outcome} Outcome */
/** @typedef {{ accept?: string, body?: string }} Extra */

const KEY_TOO_LONG = [414, 431];
/** The codes of Node for a connection that the server closed. */
const ENDED = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
/** The codes of a server's errors that are the caller's fault, so they are passed on unchanged. */
const PASSED_ON = ["ERR_KEY", "ERR_VALUE", "ERR_EXPIRES", "ERR_CONFLICT", "ERR_UNSUPPORTED"];
/** The statuses with which a proxy answers if it gets no answer from the server. */
const NO_ANSWER = [502, 503, 504];
/** The codes of Node for a connection that was not made, so that the server got nothing. */
const NOT_CONNECTED = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"];
/** The errors of connections that ended before the answer was there. @type {WeakSet<object>} */
const unanswered = new WeakSet();

/**
 * Tells whether an error leaves unknown whether the server has carried out the request.
 * @param {any} error
 */
export function mayBeDone(error) {
  return NO_ANSWER.includes(error.status) || (unanswered.has(error) && !NOT_CONNECTED.includes(error.code));
}

/** Sends requests to a store's URL, keeping its query, and decodes the responses. */
export class Requests {
  #origin;
  #path;
  #query;
  /** The end of the path in requests for the whole store: "/", or "" if the server redirects paths that end with "/". */
  #root = "/";
  /** @type {Record<string, string>} */
  #authorization = {};

  /** @param {string} url */
  constructor(url) {
    const { origin, pathname, search, username, password } = parse(url);
    this.#origin = origin;
    this.#path = pathname.replace(/\/$/, "");
    this.#query = search.slice(1);
    if (username !== "")
      throw unfit("contains a user name. Put a token into the place of the password: https://:token@….");
    if (password === "") return;
    const token = decode(password);
    // fetch() would refuse it too, but its error would quote the token.
    if (!/^[!-~]+$/.test(token))
      throw unfit("contains a token that does not only consist of visible ASCII characters.");
    this.#authorization = { authorization: `Bearer ${token}` };
  }

  /**
   * @param {string} method
   * @param {string} target The path below the store's URL, with an optional query.
   * @param {Extra} [extra]
   * @returns {Promise<Response>} The response, whatever its status.
   */
  async send(method, target, extra) {
    const response = await this.#fetch(method, target, extra);
    if (!target.startsWith("/?") || this.#path === "" || !isRedirect(response)) return response;
    // Next.js redirects "/api/store/?…" to "/api/store?…". A browser does not reveal the target of a redirect, so try both.
    this.#root = this.#root === "/" ? "" : "/";
    const other = await this.#fetch(method, target, extra);
    if (isRedirect(other)) this.#root = "/";
    return other;
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   */
  async #fetch(method, target, { accept, body } = {}) {
    const [path, query] = target.split("?");
    const search = [this.#query, query].filter(Boolean).join("&");
    const url = `${this.#origin}${this.#path}${path === "/" ? this.#root : path}${search && `?${search}`}`;
    const headers = { ...this.#authorization, ...(accept && { accept }), ...(body && { "content-type": JSON_TYPE }) };
    try {
      // No redirects: a redirected write may become a read.
      return await fetch(url, { method, headers, body, redirect: "manual", cache: "no-store" });
    } catch (error) {
      const reason = lostBy(error);
      if (!body || !ENDED.includes(reason.code)) throw reason;
      // workerd answers a body that is too long before it has read all of it, and closes the connection, so the answer is lost.
      const message = `${this.#origin} closed the connection during a request of ${body.length} characters, which may be larger than its limit`;
      throw lostBy(new Error(message, { cause: reason }), false);
    }
  }

  /**
   * Sends a request, and rejects unless the response is a success.
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   */
  async ask(method, target, extra) {
    return this.check(await this.send(method, target, extra));
  }

  /**
   * Sends a request that changes something.
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   * @returns {Promise<any>} The JSON of the response, if it has any.
   */
  async change(method, target, extra) {
    const response = await this.ask(method, target, extra);
    const text = await textOf(response);
    return text === "" ? undefined : this.#parse(response, text);
  }

  /**
   * @param {string} target
   * @param {string} id The key that is read.
   * @returns {Promise<any>} The value; null if handler() answered that the key is missing; undefined for any other 404, which may come
   *   from a proxy before the server, for example Apache, which refuses %2F.
   */
  async find(target, id) {
    const response = await this.send("GET", target, { accept: JSON_TYPE });
    if (response.status !== 404) {
      const { json, text } = await this.#jsonOf(await this.check(response));
      if (mayOverflow(text)) requireFinite(json, id);
      return json;
    }
    const said = await response.json().catch(() => undefined);
    if (said === null) return null;
    // handler() answers 404 with ERR_CLIENT if its store has another path; a missing key is a 404 without this code.
    if (said?.code === "ERR_CLIENT") throw new Error(this.#answered(`404: ${said.message}`));
    return undefined;
  }

  /**
   * @param {Response} response
   * @returns {Promise<Response>} Rejects if the response is not a success.
   */
  async check(response) {
    if (response.ok) return response;
    const { status, statusText } = response;
    const { code, message } = await refusalOf(response);
    if (isPassedOn(code)) throw new PolystoreError(/** @type {any} */ (code), String(message));
    if (KEY_TOO_LONG.includes(status)) {
      throw new PolystoreError(
        "ERR_KEY",
        this.#answered(`${status}: the key is too long for this server. Use a shorter key.`),
      );
    }
    if (status === 413) {
      const message =
        "413: the value is larger than this server accepts (option maxBody of its handler()). What is stored is unchanged.";
      throw new PolystoreError("ERR_QUOTA", this.#answered(message));
    }
    if (isRedirect(response)) {
      const message =
        'with a redirect. Pass the URL that it leads to; if that only has an additional "/" at its end, configure the server not to add it (trailingSlash of Next.js).';
      throw new Error(this.#answered(message));
    }
    const said = typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
    const error = new Error(this.#answered(`${status} ${statusText}`.trim() + said));
    throw Object.assign(error, { status }, status === 507 && { name: "QuotaExceededError" });
  }

  /**
   * @param {Response} response Its body is a JSON object with all values.
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   * @returns {Promise<import("../../core/client.js").Page>}
   */
  async pageOf(response, prefix, wanted) {
    const { json, text } = await this.#jsonOf(response);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return toPage(Object.entries(json), prefix, wanted, mayOverflow(text));
    }
    throw new Error(this.#answered(`with ${show(json)} instead of an object with all values.`));
  }

  /**
   * @param {Response} response
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   * @returns {AsyncGenerator<import("../../core/client.js").Page, void>}
   */
  async *linesOf(response, prefix, wanted) {
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => Promise.reject(reasonOf(error)));
        if (done) throw new Error(this.#answered("with an incomplete listing: it ended early."));
        const chunk = decoder.decode(value, { stream: true });
        const end = chunk.lastIndexOf("\n");
        // The parts of a long line are only joined here: searching them again with each part would take quadratic time.
        if (end === -1) {
          rest += chunk;
          continue;
        }
        const text = rest + chunk.slice(0, end);
        rest = chunk.slice(end + 1);
        const items = this.#parse(response, `[${text.replaceAll("\n", ",")}]`);
        const last = items.at(-1);
        const isLast = items.length > 0 && !Array.isArray(last);
        yield toPage(isLast ? items.slice(0, -1) : items, prefix, wanted, mayOverflow(text));
        if (last?.message) throw new Error(this.#answered(`with an incomplete listing: ${last.message}`));
        if (isLast) return;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /**
   * @param {Response} response The response to a batch.
   * @param {import("../../http/protocol.js").Call[]} calls
   * @returns {Promise<({ result: any } | { error: unknown })[]>}
   */
  async outcomesOf(response, calls) {
    const { json, text } = await this.#jsonOf(await this.check(response));
    const isDoubtful = mayOverflow(text);
    const outcomes = /** @type {Outcome[]} */ (json);
    return outcomes.map(({ result = null, code, message }, i) => {
      if (code === undefined) return isDoubtful ? outcomeOf(result, calls[i][1]) : { result };
      if (isPassedOn(code)) return { error: new PolystoreError(/** @type {any} */ (code), String(message)) };
      const error = new Error(this.#answered(String(message)));
      return { error: Object.assign(error, code === "ERR_QUOTA" && { name: "QuotaExceededError" }) };
    });
  }

  /**
   * @param {Response} response
   * @returns {Promise<{ json: any, text: string }>}
   */
  async #jsonOf(response) {
    const text = await textOf(response);
    return { json: this.#parse(response, text), text };
  }

  /**
   * @param {Response} response
   * @param {string} text
   */
  #parse({ status, headers }, text) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      const type = headers.get("content-type") ?? "no content type";
      const message = this.#answered(`${status} with a body that is not JSON (${type}). Is this the URL of a store?`);
      throw new Error(message, { cause });
    }
  }

  /**
   * Returns the error for a commit that may have been made.
   * @param {string} what
   * @param {unknown} [cause]
   */
  doubtful(what, cause) {
    const message = this.#answered(`${what}. The change may have taken effect: read the value before you repeat it.`);
    return new Error(message, { cause });
  }

  /** Returns the error for a server that does not know "ttl", "entry" and "commit". */
  lacksCommits() {
    const message = `${this.#origin} neither changes values atomically nor tells their expiry: it only speaks polystore's protocol, or an older one of this package. Serve its store with handler() of a current polystore-wasm.`;
    return new PolystoreError("ERR_UNSUPPORTED", message);
  }

  /** @param {string} what */
  #answered(what) {
    return `${this.#origin} answered ${what}`; // Only the origin, because the rest of the URL may contain a secret.
  }
}

/**
 * @param {unknown} result
 * @param {string} id The key of the call.
 */
function outcomeOf(result, id) {
  try {
    requireFinite(result, id);
    return { result };
  } catch (error) {
    return { error };
  }
}

/**
 * @param {any[][]} entries Pairs of a key (without the prefix) and a value.
 * @param {string} prefix
 * @param {import("../../core/client.js").Wanted} wanted
 * @param {boolean} isDoubtful True if a value may contain a number that JavaScript cannot hold.
 */
function toPage(entries, prefix, wanted, isDoubtful) {
  const lacksValues = wanted === "keys";
  if (isDoubtful && !lacksValues) for (const [key, value] of entries) requireFinite(value, prefix + key);
  return {
    ids: entries.map(([key]) => prefix + key),
    found: entries.map(([, value]) => (lacksValues ? KEY_ONLY : { expires: null, value })),
  };
}

/** @param {Response} response */
function isRedirect({ status, type }) {
  return type === "opaqueredirect" || (status >= 300 && status < 400);
}

/** @param {unknown} code */
function isPassedOn(code) {
  return PASSED_ON.includes(String(code));
}

/** @param {string} url */
function parse(url) {
  try {
    return new URL(url);
  } catch {
    throw unfit("is not a valid URL."); // The error of new URL() may quote it, so it is not the cause.
  }
}

/** @param {string} password */
function decode(password) {
  try {
    return decodeURIComponent(password);
  } catch {
    return password; // It contains a % that is not an escape.
  }
}

/** @param {string} why */
function unfit(why) {
  return new PolystoreTypeError("ERR_CLIENT", `The URL that was given to kv() ${why}`);
}

/**
 * Returns the error in the body of a response, if it has the form of handler()'s errors.
 * @param {Response} response
 * @returns {Promise<Outcome>}
 */
async function refusalOf(response) {
  try {
    return Object(await response.json());
  } catch {
    return {};
  }
}

/** @param {Response} response */
function textOf(response) {
  return response.text().catch((error) => Promise.reject(lostBy(error)));
}

/**
 * Returns the reason why a request got no answer, and remembers that it got none.
 * @param {unknown} error
 * @param {boolean} [isOfFetch] True if fetch() threw the error.
 */
function lostBy(error, isOfFetch = true) {
  const reason = isOfFetch ? reasonOf(error) : error;
  unanswered.add(reason);
  return reason;
}

/**
 * Returns the reason why a request failed: fetch() of Node throws "fetch failed" with the reason as its cause.
 * @param {any} error
 */
function reasonOf(error) {
  const { cause = error } = error;
  return cause.errors?.[0] ?? cause; // Node tries each address of a host; this is the error of the first.
}
