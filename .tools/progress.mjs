// A reporter of node:test. It prints a line for each test of a file, with the number of those inside it, and what failed.
import { inspect } from "node:util";

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* progress(events) {
  let inside = 0;
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (type === "test:fail")
      yield `FAILED: ${data.name}\n${inspect(data.details.error.cause ?? data.details.error)}\n`;
    if (data.nesting > 0) {
      inside++;
      continue;
    }
    const seconds = (data.details.duration_ms / 1000).toFixed(1);
    if (type === "test:pass") yield `${data.name}${inside > 0 ? ` (${inside})` : ""}, ${seconds} s\n`;
    inside = 0;
  }
}
