import { Connection } from "../core/connection.js";
import { presentRequest } from "../support/present_request.js";

/**
 * Of a client that one store may use in several requests to a Worker. A request that is cancelled leaves calls that never end;
 * so each has a connection of its own, and waits for nothing of another.
 * @param {import("./known_clients.js").Sources} sources Whose module leads to this one, and cannot be imported.
 * @param {unknown} input What the user gave to `kv()`.
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
