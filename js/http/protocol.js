// The protocol of the HTTP client and the handler. It extends the protocol of polystore 0.27, whose client and servers know the first
// four requests, with an object as the answer to the fourth.
//
//     GET    /:key               200 and the value as JSON / 404; the handler's 404 has the body null, a proxy's has another
//     PUT    /:key[?expires=e]   sets the value, which is the body as JSON; e is a number of seconds
//     DELETE /:key
//     GET    /?prefix=p          200 and an object of all values whose keys begin with p; the keys in it lack p. If the client
//                                accepts LINES_TYPE: a line with [key, value] for each entry, and then the line END
//     HEAD   /:key               200 / 404
//     DELETE /?prefix=p          deletes all records whose keys begin with p
//     POST   /?prune&prefix=p    removes the expired records whose keys begin with p: 200 and their number
//     POST   /?batch             [call, …], at most MAX_CALLS, in their order: 200 and [outcome, …]
//
//     call    = ["get", key] / ["has", key] / ["del", key] / ["set", key, value, expires]
//     outcome = { "result": the result of the method } / refusal
//     refusal = { "code": …, "message": … }; it is also the body of every answer that reports an error, and the last line of a
//               listing that fails after it has begun
//
// `:key` is percent-encoded, including "/": a path with another "/" is not a path of the store, and is answered 404 with a refusal.
// A path cannot express the keys "", "." and "..", so they need a batch.

export const JSON_TYPE = "application/json";
/** The media type of lines that are JSON each. */
export const LINES_TYPE = "application/x-ndjson";
/** The last line of a complete listing. */
export const END = "{}";
/** The maximum number of calls in a batch: so many that the cost of the request hardly counts, and few enough for the memory. */
export const MAX_CALLS = 100;
/** The time without progress after which a slow reader of an answer is disconnected, in milliseconds. */
export const PATIENCE = 30_000;

/** @typedef {["get" | "has" | "del", string] | ["set", string, unknown, number | null]} Call */
/** @typedef {{ result?: any, code?: unknown, message?: unknown }} Outcome */
