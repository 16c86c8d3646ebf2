import { shared } from "./support/shared.js";

// For bundlers that make one file, and for service workers: puts the engine into the bundle, for kv("opfs:…").
shared.opfs = {
  text: () => import("./clients/opfs/worker_text.js"),
  inPlace: () => import("./clients/opfs/in_place.js"),
};
