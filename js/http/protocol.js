// What our client and our handler say to each other over HTTP. It is the protocol of polystore 0.27, whose client and whose
// servers know the first four requests, with an object as the answer to the fourth; the rest is ours.
//
//     GET    /:key               200 and the value as JSON / 404, from our handler with the body null: a proxy has its own 404
//     PUT    /:key[?expires=e]   the value as JSON is set; e is a number of seconds
//     DELETE /:key
//     GET    /?prefix=p          200 and an object of all values whose keys begin with p, which the keys in it lack; or, where
//                                LINES_TYPE is accepted: each entry as [key, value] on a line of its own, and then the line END
//     HEAD   /:key               200 / 404
//     DELETE /?prefix=p          all whose keys begin with p are deleted
//     POST   /?prune&prefix=p    those of them that have expired are removed: 200 and their number
//     POST   /?batch             [call, …], at most MOST_CALLS, in their order: 200 and [outcome, …]
//
//     call    = ["get", key] / ["has", key] / ["del", key] / ["set", key, value, expires]
//     outcome = { "result": what the method gives } / refusal
//     refusal = { "code": …, "message": … }, which is also the body of what is no success, and the line that a listing has
//               instead of END when it fails on its way
//
// `:key` is percent-encoded, "/" as well: what has one is another path than that of the store, a 404 with a refusal. The keys
// "", "." and "..", which a path cannot say, need a batch.

export const JSON_TYPE = "application/json";
/** One JSON a line. */
export const LINES_TYPE = "application/x-ndjson";
/** The last line of a listing: without it, something is missing. */
export const END = "{}";
/** Enough to make the cost of a request small beside theirs, and few enough to be in memory at a time. */
export const MOST_CALLS = 100;
/** How long a reader may take nothing of an answer before it is cut off, in milliseconds. */
export const PATIENCE = 30_000;

/** @typedef {["get" | "has" | "del", string] | ["set", string, unknown, number | null]} Call */
/** @typedef {{ result?: any, code?: unknown, message?: unknown }} Outcome */
