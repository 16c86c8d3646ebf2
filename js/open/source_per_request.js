import { Connection } from "../core/connection.js";
import { presentRequest } from "../support/present_request.js";

/**
 * Makes the source of a client that one store may use in several requests to a Worker. A cancelled request leaves calls that never
 * end, so each request has a connection of its own and does not wait for the calls of another.
 * @param {import("./known_clients.js").Sources} sources The class Source. Importing its module here would make a circle of imports.
 * @param {unknown} input The argument of `kv()`.
 * @param {import("../core/client.js").Client} client
 */
export function sourcePerRequest({ Source }, input, client) {
  class SourcePerRequest extends Source {
    /** @type {WeakMap<object, Connection>} */
    #connections = new WeakMap();

    get connection() {
      const request = presentRequest();
      let connection = this.#connections.get(request);
      if (!connection) this.#connections.set(request, (connection = new Connection(client)));
      return connection;
    }
  }
  const source = new SourcePerRequest(input, client.traits.type, () => source.connection);
  return source;
}
