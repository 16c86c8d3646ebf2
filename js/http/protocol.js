// The protocol of the HTTP client and the handler. It extends the protocol of polystore 0.27, whose client and servers know the first
// four requests, with an object as the answer to the fourth.
//
//     GET    /:key               200 and the value as JSON / 404; the handler's 404 has the body null, a proxy's has another
//     PUT    /:key[?expires=e]   sets the value, which is the body as JSON; e is a number of seconds
//     DELETE /:key
//     GET    /?prefix=p          200 and an object of all values whose keys begin with p; the keys in it lack p. If the client
//                                accepts LINES_TYPE: a line with [key, value] for each entry, and then the line END
//     HEAD   /:key               200 / 404
//     HEAD   /?prefix=           if the client accepts LINES_TYPE: LINES_TYPE with the parameter COMMITS as the content type
//     DELETE /?prefix=p          deletes all records whose keys begin with p, or those of a range
//     POST   /?prune&prefix=p    removes the expired records whose keys begin with p: 200 and their number
//     POST   /?batch             [call, …], at most MAX_CALLS, in their order: 200 and [outcome, …]
//
//     call    = ["get", key] / ["has", key] / ["del", key] / ["set", key, value, expires]
//             / ["ttl", key]     { "ttl": seconds, or null for a value that does not expire } / null
//             / ["entry", key]   { "value": …, "ttl": …, "version": … } / null
//             / ["commit", token, isRetry, [check, …], [write, …]]   true / false / UNKNOWN
//     check   = [key, version] / [key, null], if there must be no value / [key, { "value": the expected value }]
//     write   = ["set", key, value, seconds, or null, or "keep" for the expiry of the value that is there] / ["del", key]
//     outcome = { "result": the result of the method } / refusal
//     refusal = { "code": …, "message": … }; it is also the body of every answer that reports an error, and the last line of a
//               listing that fails after it has begun
//
// A listing may be a range: the parameters gt, gte, lt and lte are bounds, which are keys without p; `reverse` begins with the last
// key, and `limit` is the number of entries. With any of them, a listing is in the order of the keys' code points. Older servers list
// all entries instead, so a client arranges what it gets. They also delete all, so a client deletes the keys of a range one by one.
//
// With the parameter `keys`, a listing in lines has [key, true] for each entry. Older servers send the values.
//
// A commit makes all of its writes if all checks hold; otherwise it makes none, and the result is false. As it reads first, later calls
// of the same batch may come before it. The client chooses a token
// that is never used again. If a request with a commit was not answered, the client sends the commit again with the same token and with
// isRetry true. The handler remembers the outcome of each token for some minutes, so it makes a commit once. If a retry has a token that
// the handler does not know, for example after a restart, the handler makes the commit if every key that it writes is checked and the
// checks hold. Otherwise the result is UNKNOWN: the commit may have been made before. (A version comes back when the value does. So if
// the server restarts and another writer restores the value, both within the second in which a client asks again, the commit is made
// again.) A store that cannot change values atomically, or not several keys, refuses with ERR_UNSUPPORTED. A server without COMMITS
// refuses a batch with "ttl", "entry" or "commit" as a whole, so a client asks first.
//
// For other programs, GET and HEAD /:key have an ETag, which is the version of the value in quotes, and heed If-None-Match (304). PUT and
// DELETE heed If-Match and If-None-Match atomically (412). A request with exactly the headers that our client sends, Accept: application/json
// and Cache-Control: no-cache, gets no ETag, because hashing takes time.
//
// `:key` is percent-encoded, including "/": a path with another "/" is not a path of the store, and is answered 404 with a refusal.
// A path cannot express the keys "", "." and "..", so they need a batch.

export const JSON_TYPE = "application/json";
/** The media type of lines that are JSON each. */
export const LINES_TYPE = "application/x-ndjson";
/** The parameter of LINES_TYPE in an answer to HEAD /?prefix= that tells that the server knows "ttl", "entry" and "commit". */
export const COMMITS = "commits=1";
/** The result of a commit that may have been made. */
export const UNKNOWN = "unknown";
/** The last line of a complete listing. */
export const END = "{}";
/** The maximum number of calls in a batch: so many that the cost of the request hardly counts, and few enough for the memory. */
export const MAX_CALLS = 100;
/** The time without progress after which a slow reader of an answer is disconnected, in milliseconds. */
export const PATIENCE = 30_000;

/** @typedef {[key: string, expected: string | null | { value: unknown }]} Check */
/** @typedef {["set", key: string, value: unknown, expires: number | null | "keep"] | ["del", key: string]} Write */
/** @typedef {["get" | "has" | "del" | "ttl" | "entry", string] | ["set", string, unknown, number | null] | ["commit", string, boolean, Check[], Write[]]} Call */
/** @typedef {{ result?: any, code?: unknown, message?: unknown }} Outcome */
