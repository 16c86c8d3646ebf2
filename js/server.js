export { handler } from "./handler.js";
export { listener } from "./listener.js";
