import { PolystoreError, PolystoreTypeError, show } from "../errors.js";
import { JSON_TYPE, LINES_TYPE } from "../http_protocol.js";
import { Order } from "./order.js";
import { requireText } from "./text_key.js";

/** @typedef {import("../http_protocol.js").Refusal} Refusal */
/** @typedef {{ accept?: string, body?: string }} Extra */

/** What a server that knows no better says to a request that only ours know. */
const UNKNOWN_REQUEST = [404, 405, 501];
const TOO_LARGE = [413, 507];
const KEY_TOO_LONG = [414, 431];
/** What is wrong with what was asked, and not with who was asked. */
const PASSED_ON = ["ERR_KEY", "ERR_VALUE", "ERR_EXPIRES"];

/**
 * A server that speaks the protocol in http_protocol.js, all of it or polystore's part. Expiry is its affair: each record that
 * it gives is alive.
 */
export class Http {
  type = "API";
  /** @type {import("./client.js").Client["can"]} */
  can = ["manages_expiry", "has", "list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #server;
  #order = new Order();
  /** Whether the server knows all of the protocol. @type {Promise<boolean> | null} */
  #knowsAll = null;

  /** @param {string} url */
  constructor(url) {
    this.#server = new Server(url);
  }

  /** @param {string} id */
  async read(id) {
    requireText(id, "a URL");
    return this.#order.read(id, async () => {
      const response = await this.#server.request("GET", await this.#targetOf(id), { accept: JSON_TYPE });
      return response.status === 404 ? undefined : { expires: null, value: await this.#server.jsonOf(response) };
    });
  }

  /** @param {string} id */
  async has(id) {
    requireText(id, "a URL");
    return this.#order.read(id, async () => {
      const method = (await this.#isOurs()) ? "HEAD" : "GET"; // Which says "null" where other servers have nothing.
      const response = await this.#server.request(method, await this.#targetOf(id), { accept: JSON_TYPE });
      if (response.status === 404) return false;
      return method === "HEAD" ? this.#server.check(response) : (await this.#server.jsonOf(response)) !== null;
    });
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires In seconds.
   */
  async write(id, value, expires) {
    requireText(id, "a URL");
    return this.#order.write(id, async () => {
      const target = await this.#targetOf(id, expires === null ? [] : [`expires=${expires}`]);
      await this.#server.perform("PUT", target, { body: JSON.stringify(value) });
    });
  }

  /** @param {string} id */
  async erase(id) {
    requireText(id, "a URL");
    return this.#order.write(id, () => this.#erase(id));
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    requireText(prefix, "a URL");
    const response = await this.#order.readAll(() =>
      this.#server.request("GET", underPrefix(prefix), { accept: `${LINES_TYPE}, ${JSON_TYPE}` }),
    );
    await this.#server.check(response);
    if (isLines(response)) yield* this.#server.linesOf(response, prefix);
    else yield this.#server.pageOf(await this.#server.jsonOf(response), prefix);
  }

  /** @param {string} prefix */
  async clear(prefix) {
    requireText(prefix, "a URL");
    return this.#order.writeAll(async () => {
      if (await this.#isOurs()) return this.#server.perform("DELETE", underPrefix(prefix));
      const listed = await this.#server.request("GET", underPrefix(prefix), { accept: JSON_TYPE });
      const { ids } = this.#server.pageOf(await this.#server.jsonOf(listed), prefix);
      await Promise.all(ids.map((id) => this.#order.bound(() => this.#erase(id))));
    });
  }

  /** @param {string} prefix */
  async prune(prefix) {
    requireText(prefix, "a URL");
    return this.#order.readAll(async () => {
      if (!(await this.#isOurs())) return 0; // What has expired there is not to be seen.
      return this.#server.perform("POST", `${underPrefix(prefix)}&prune`);
    });
  }

  /** @param {string} id */
  async #erase(id) {
    await this.#server.perform("DELETE", await this.#targetOf(id));
  }

  /**
   * Where a key is found.
   * @param {string} id
   * @param {string[]} [query]
   */
  async #targetOf(id, query = []) {
    const encoded = encodeURIComponent(id);
    if (!["", ".", ".."].includes(id)) return `/${encoded}${query.length > 0 ? `?${query}` : ""}`;
    if (await this.#isOurs()) return `/?${[`key=${encoded}`, ...query].join("&")}`;
    // To such a server it would be the request for something else, for the listing of all maybe.
    const message = `The key ${show(id)} cannot be said in the path of a URL, and this server knows no other way: use another key.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  #isOurs() {
    this.#knowsAll ??= this.#ask().catch((error) => {
      this.#knowsAll = null;
      throw error;
    });
    return this.#knowsAll;
  }

  /** Whether the server offers a listing in lines. Safe, for a HEAD changes nothing anywhere. */
  async #ask() {
    const response = await this.#server.request("HEAD", underPrefix(""), { accept: LINES_TYPE });
    if (UNKNOWN_REQUEST.includes(response.status)) return false;
    await this.#server.check(response);
    return isLines(response);
  }
}

/** Requests to the server at a URL, whose query they keep, and what is made of its answers. */
class Server {
  #origin;
  #path;
  #query;
  /** @type {Record<string, string>} */
  #authorization = {};

  /** @param {string} url */
  constructor(url) {
    const { origin, pathname, search, username, password } = parse(url);
    this.#origin = origin;
    this.#path = pathname.replace(/\/$/, "");
    this.#query = search.slice(1);
    if (username !== "")
      throw refused("has a user name, which is not used. Give a token as a password: https://:token@….");
    if (password === "") return;
    const token = decode(password);
    // A header that is refused would be quoted in the error.
    if (!/^[!-~]+$/.test(token)) throw refused("has a token of other characters than visible ones of ASCII.");
    this.#authorization = { authorization: `Bearer ${token}` };
  }

  /**
   * @param {string} method
   * @param {string} target What comes after the server's own path, and maybe a query.
   * @param {Extra} [extra]
   * @returns {Promise<Response>} Whatever the server answered.
   */
  async request(method, target, { accept, body } = {}) {
    const [path, query] = target.split("?");
    const search = [this.#query, query].filter(Boolean).join("&");
    const url = `${this.#origin}${this.#path}${path}${search && `?${search}`}`;
    const headers = { ...this.#authorization, ...(accept && { accept }), ...(body && { "content-type": JSON_TYPE }) };
    // Neither would be told: that a write was made a read on its way, or that an answer is an old one.
    const init = /** @type {const} */ ({ redirect: "manual", cache: "no-store" });
    try {
      return await fetch(url, { ...init, method, headers, body });
    } catch (error) {
      throw reasonOf(error);
    }
  }

  /**
   * A request that changes something.
   * @param {string} method
   * @param {string} target
   * @param {Extra} [extra]
   * @returns {Promise<any>} The JSON that the server answered, if any.
   */
  async perform(method, target, extra) {
    const response = await this.request(method, target, extra);
    return response.status === 204 ? undefined : this.jsonOf(response, true);
  }

  /**
   * @param {Response} response
   * @returns {Promise<true>} Rejects if it is no success.
   */
  async check(response) {
    if (response.ok) return true;
    const { status, statusText, type } = response;
    const { code, message } = await refusalOf(response);
    if (PASSED_ON.includes(String(code))) throw new PolystoreError(/** @type {any} */ (code), String(message));
    if (KEY_TOO_LONG.includes(status))
      throw new PolystoreError("ERR_KEY", this.#answered(`${status}: the key is too long for it. Use a shorter one.`));
    if (type === "opaqueredirect" || (status >= 300 && status < 400))
      throw new Error(this.#answered("with a redirect. Give kv() the URL that it leads to."));
    const said = typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
    const error = new Error(this.#answered(`${[status, statusText].join(" ").trim()}${said}`));
    throw Object.assign(error, { status, ...(TOO_LARGE.includes(status) && { name: "QuotaExceededError" }) });
  }

  /**
   * @param {Response} response
   * @param {boolean} [maybeNothing] Whether there need not be any.
   * @returns {Promise<any>}
   */
  async jsonOf(response, maybeNothing = false) {
    await this.check(response);
    const text = await response.text().catch((error) => Promise.reject(reasonOf(error)));
    if (maybeNothing && text === "") return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      const type = response.headers.get("content-type") ?? "no content type";
      throw new Error(
        this.#answered(`${response.status} with what is not JSON (${type}). Does the URL lead to a store?`),
        { cause },
      );
    }
  }

  /**
   * @param {unknown} listed An object of all values.
   * @param {string} prefix
   * @returns {import("./client.js").Page}
   */
  pageOf(listed, prefix) {
    if (typeof listed !== "object" || listed === null || Array.isArray(listed))
      throw new Error(this.#answered(`with ${show(listed)}, where an object of all values was expected.`));
    return toPage(Object.entries(listed), prefix);
  }

  /**
   * @param {Response} response
   * @param {string} prefix
   * @returns {AsyncGenerator<import("./client.js").Page, void>}
   */
  async *linesOf(response, prefix) {
    const stream = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body);
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => Promise.reject(reasonOf(error)));
        const lines = (rest + (value ?? "")).split("\n");
        rest = /** @type {string} */ (lines.pop());
        const items = lines.map((line) => JSON.parse(line));
        yield toPage(items.filter(Array.isArray), prefix);
        const last = items.find((item) => !Array.isArray(item));
        if (last?.message) throw new Error(this.#answered(`with a part of a listing: ${last.message}`));
        if (last) return;
        if (done) throw new Error(this.#answered("with a part of a listing only."));
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  /** @param {string} what */
  #answered(what) {
    return `${this.#origin} answered ${what}`;
  }
}

/** @param {string} prefix */
const underPrefix = (prefix) => `/?prefix=${encodeURIComponent(prefix)}`;

/** @param {Response} response */
const isLines = (response) => response.headers.get("content-type")?.startsWith(LINES_TYPE) ?? false;

/**
 * @param {any[][]} entries Of a key and a value.
 * @param {string} prefix
 */
function toPage(entries, prefix) {
  return { ids: entries.map(([key]) => prefix + key), found: entries.map(([, value]) => ({ expires: null, value })) };
}

/** @param {string} url */
function parse(url) {
  try {
    return new URL(url);
  } catch {
    throw refused("is not one."); // What was thrown may well quote it.
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
function refused(why) {
  // There may be a secret in it: it is not shown.
  return new PolystoreTypeError("ERR_CLIENT", `The URL that was given to kv() ${why}`);
}

/**
 * What a server like ours says about what went wrong.
 * @param {Response} response
 * @returns {Promise<Refusal>}
 */
async function refusalOf(response) {
  try {
    return Object(await response.json());
  } catch {
    return {};
  }
}

/**
 * Why a request failed: fetch() of Node says "fetch failed", and the rest in its cause.
 * @param {any} error
 */
function reasonOf(error) {
  const { cause = error } = error;
  return cause.errors?.[0] ?? cause; // An error for each address of a host.
}
