// A server for pages of another origin, in the time that they tell it: arguments are its port, and their origin.

import { createServer } from "node:http";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";

const [port, origin] = process.argv.slice(2);
const handle = handler(kv(new Map()), { origin });
const listen = listener((request) => {
  const now = new URL(request.url).searchParams.get("now");
  if (now !== null) Date.now = () => Number(now);
  return handle(request);
});
createServer(listen).listen(Number(port), "127.0.0.1", () => console.log("ready"));
