import { shared } from "./shared.js";

// For bundlers that make one file, and for service workers: puts the engine into the bundle, for kv("opfs:…").
shared.opfs = {
  text: () => import("./clients/opfs_worker_text.js"),
  inPlace: () => import("./engine/opfs_in_place.js"),
};
