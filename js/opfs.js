import { shared } from "./support/shared.js";

// Importing this module puts the engine of kv("opfs:…") into the bundle. Service workers and bundlers that write one file need that.
shared.opfs = {
  text: () => import("./clients/opfs/worker_text.js"),
  inPlace: () => import("./clients/opfs/in_place.js"),
};
