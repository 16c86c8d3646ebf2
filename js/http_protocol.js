// What our client and our handler say to each other over HTTP. It is the protocol of polystore 0.27, whose client and whose
// servers know the requests of the first four lines, in the form of the first answer; the rest is ours.
//
//     GET    /:key               200 and the value as JSON / 404
//     PUT    /:key[?expires=e]   the value as JSON is set; e is a number of seconds
//     DELETE /:key
//     GET    /?prefix=p          200 and an object of all values whose keys begin with p, without which the keys are
//            …, where the request accepts LINES: each entry on a line of its own, as [key, value], and then a line END
//     HEAD   /:key               200 / 404
//     DELETE /?prefix=p          all that begin with p are deleted
//     POST   /?prune&prefix=p    those of them that have expired are removed: 200 and their number
//
// `:key` is percent-encoded. Three keys cannot be said in a path, of which "." and ".." are steps: for them, it is /?key=k.
//
// What is not a success has the JSON { code, message }, as the line instead of END has where a listing fails on its way.

export const JSON_TYPE = "application/json";
/** One JSON a line. */
export const LINES_TYPE = "application/x-ndjson";
/** The last line of a listing: without it, something is missing. */
export const END = "{}";

/** @typedef {{ code?: unknown, message?: unknown }} Refusal */
