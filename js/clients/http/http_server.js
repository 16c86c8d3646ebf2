import { PolystoreError, PolystoreTypeError, show } from "../../support/errors.js";
import { JSON_TYPE } from "../../http/protocol.js";
import { mayOverflow, requireFinite } from "../../support/record.js";

/** @typedef {import("../../http/protocol.js").Outcome} Outcome */
/** @typedef {{ accept?: string, body?: string }} Extra */

const KEY_TOO_LONG = [414, 431];
/** How it shows in Node that a server has ended the connection. */
const ENDED = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
/** What is wrong with what was asked, and not with who was asked. */
const PASSED_ON = ["ERR_KEY", "ERR_VALUE", "ERR_EXPIRES"];

/** Requests to the server at a URL, whose query they keep, and what is to be made of its answers. */
export class HttpServer {
  #origin;
  #path;
  #query;
  /** What follows the path in requests for all keys: "" where a server redirects the other way of writing it. */
  #root = "/";
  /** @type {Record<string, string>} */
  #authorization = {};

  /** @param {string} url */
  constructor(url) {
    const { origin, pathname, search, username, password } = parse(url);
    this.#origin = origin;
    this.#path = pathname.replace(/\/$/, "");
    this.#query = search.slice(1);
    if (username !== "") throw unfit("has a user name. Give a token as its password: https://:token@….");
    if (password === "") return;
    const token = decode(password);
    // fetch() would refuse it as well, and quote it in the error.
    if (!/^[!-~]+$/.test(token)) throw unfit("has a token with other characters than the visible ones of ASCII.");
    this.#authorization = { authorization: `Bearer ${token}` };
  }

  /**
   * @param {string} method
   * @param {string} target What comes after the path of the server, and maybe a query.
   * @param {Extra} [extra]
   * @returns {Promise<Response>} Whatever the server answered.
   */
  async request(method, target, extra) {
    const response = await this.#fetch(method, target, extra);
    if (!target.startsWith("/?") || this.#path === "" || !isRedirect(response)) return response;
    // Next.js redirects "/api/store/?…" to "/api/store?…". A browser does not show us where a redirect leads to.
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
      // A write that is redirected may end as a read.
      return await fetch(url, { method, headers, body, redirect: "manual", cache: "no-store" });
    } catch (error) {
      const reason = reasonOf(error);
      if (!body || !ENDED.includes(reason.code)) throw reason;
      // workerd answers a body that is too long before it has read it, and its answer is lost with the connection.
      const message = `${this.#origin} ended the connection while it was sent ${body.length} characters, which may be more than it takes`;
      throw new Error(message, { cause: reason });
    }
  }

  /**
   * The same, where anything but a success is an error.
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   */
  async ask(method, target, extra) {
    return this.check(await this.request(method, target, extra));
  }

  /**
   * A request that changes something.
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   * @returns {Promise<any>} The JSON that the server answered, if any.
   */
  async change(method, target, extra) {
    const response = await this.ask(method, target, extra);
    const text = await textOf(response);
    return text === "" ? undefined : this.#parse(response, text);
  }

  /**
   * @param {string} target
   * @param {string} id The key that it is for.
   * @returns {Promise<any>} The JSON that is found there; null if our handler says that nothing is, and undefined for another 404:
   *   it may come from something before the server, such as Apache, which takes no %2F.
   */
  async find(target, id) {
    const response = await this.request("GET", target, { accept: JSON_TYPE });
    if (response.status !== 404) {
      const { json, text } = await this.#jsonOf(await this.check(response));
      if (mayOverflow(text)) requireFinite(json, id);
      return json;
    }
    const said = await response.json().catch(() => undefined);
    if (said === null) return null;
    // Our handler says so where it serves another path: that a key is missing, no server says with this code.
    if (said?.code === "ERR_CLIENT") throw new Error(this.#answered(`404: ${said.message}`));
    return undefined;
  }

  /**
   * @param {Response} response
   * @returns {Promise<Response>} Rejects if it is no success.
   */
  async check(response) {
    if (response.ok) return response;
    const { status, statusText } = response;
    const { code, message } = await refusalOf(response);
    if (isPassedOn(code)) throw new PolystoreError(/** @type {any} */ (code), String(message));
    if (KEY_TOO_LONG.includes(status)) {
      throw new PolystoreError("ERR_KEY", this.#answered(`${status}: the key is too long for it. Use a shorter one.`));
    }
    if (status === 413) {
      const message =
        "413: it takes no value as long as this (its handler() has maxBody), and what was there is unchanged.";
      throw new PolystoreError("ERR_QUOTA", this.#answered(message));
    }
    if (isRedirect(response)) {
      const message =
        'with a redirect. Give kv() the URL that it leads to; if that has one "/" more at its end, let the server not add it (trailingSlash of Next.js).';
      throw new Error(this.#answered(message));
    }
    const said = typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
    const error = new Error(this.#answered(`${status} ${statusText}`.trim() + said));
    throw Object.assign(error, { status }, status === 507 && { name: "QuotaExceededError" });
  }

  /**
   * @param {Response} response Of an object of all values.
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   * @returns {Promise<import("../../core/client.js").Page>}
   */
  async pageOf(response, prefix, wanted) {
    const { json, text } = await this.#jsonOf(response);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return toPage(Object.entries(json), prefix, wanted !== "keys" && mayOverflow(text));
    }
    throw new Error(this.#answered(`with ${show(json)}, where an object of all values was expected.`));
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
        if (done) throw new Error(this.#answered("with a part of the listing only."));
        const text = rest + decoder.decode(value, { stream: true });
        const end = text.lastIndexOf("\n");
        rest = text.slice(end + 1);
        const items = this.#parse(response, `[${text.slice(0, Math.max(0, end)).replaceAll("\n", ",")}]`);
        const last = items.at(-1);
        const isLast = items.length > 0 && !Array.isArray(last);
        yield toPage(isLast ? items.slice(0, -1) : items, prefix, wanted !== "keys" && mayOverflow(text));
        if (last?.message) throw new Error(this.#answered(`with a part of the listing: ${last.message}`));
        if (isLast) return;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /**
   * @param {Response} response Of a batch.
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
      const message = this.#answered(`${status} with what is not JSON (${type}). Does the URL lead to a store?`);
      throw new Error(message, { cause });
    }
  }

  /** @param {string} what */
  #answered(what) {
    return `${this.#origin} answered ${what}`; // Without what else the URL has: there may be a secret in it.
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
 * @param {any[][]} entries Of a key and a value.
 * @param {string} prefix
 * @param {boolean} isDoubtful Whether a value may have a number that JavaScript cannot hold.
 */
function toPage(entries, prefix, isDoubtful) {
  if (isDoubtful) for (const [key, value] of entries) requireFinite(value, prefix + key);
  return { ids: entries.map(([key]) => prefix + key), found: entries.map(([, value]) => ({ expires: null, value })) };
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
    throw unfit("is not one."); // What was thrown may quote it.
  }
}

/** @param {string} password */
function decode(password) {
  try {
    return decodeURIComponent(password);
  } catch {
    return password; // A % that stands for itself.
  }
}

/** @param {string} why */
function unfit(why) {
  return new PolystoreTypeError("ERR_CLIENT", `The URL that was given to kv() ${why}`);
}

/**
 * What a server like ours says about what went wrong.
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
  return response.text().catch((error) => Promise.reject(reasonOf(error)));
}

/**
 * Why a request failed: fetch() of Node says "fetch failed", and the rest in its cause.
 * @param {any} error
 */
function reasonOf(error) {
  const { cause = error } = error;
  return cause.errors?.[0] ?? cause; // An error for each address of a host.
}
