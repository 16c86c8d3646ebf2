export { handler } from "./http/handler.js";
export { listener } from "./http/listener.js";
