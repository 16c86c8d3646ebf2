/** @typedef {{ cookie: { expires?: Date | string | null } }} SessionData */
/** @typedef {(error: any, result?: any) => void} Callback */

/**
 * The sessions of express-session. express_session.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 * @param {{ Store: abstract new () => any }} session
 */
export function sessionStore(store, session) {
  class SessionStore extends session.Store {
    /**
     * @param {string} id
     * @param {Callback} [callback]
     */
    get(id, callback) {
      return answer(store.get(id), callback);
    }

    /**
     * @param {string} id
     * @param {SessionData} data
     * @param {Callback} [callback]
     */
    set(id, data, callback) {
      // A session holds what survives JSON, so a Date in it becomes a string.
      return answer(store.set(id, JSON.parse(JSON.stringify(data)), { expires: lifeOf(data) }), callback);
    }

    /**
     * @param {string} id
     * @param {SessionData} data
     * @param {Callback} [callback]
     */
    touch(id, data, callback) {
      return answer(store.touch(id, lifeOf(data)), callback);
    }

    /**
     * @param {string} id
     * @param {Callback} [callback]
     */
    destroy(id, callback) {
      return answer(store.del(id), callback);
    }

    /** @param {Callback} [callback] */
    all(callback) {
      return answer(store.all(), callback);
    }

    /** @param {Callback} [callback] */
    length(callback) {
      return answer(store.size(), callback);
    }

    /** @param {Callback} [callback] */
    clear(callback) {
      return answer(store.clear(), callback);
    }
  }
  return new SessionStore();
}

/**
 * The seconds until the cookie of a session expires. A cookie without an expiry leaves that to the store.
 * @param {SessionData} data
 */
function lifeOf({ cookie: { expires } }) {
  return expires ? (Number(new Date(expires)) - Date.now()) / 1000 : undefined;
}

/**
 * @param {Promise<any>} result
 * @param {Callback} [callback]
 * @returns {Promise<any> | undefined} The result itself if nobody else would hear of an error.
 */
function answer(result, callback) {
  if (!callback) return result;
  result.then(
    (value) => callback(null, value),
    (error) => callback(error),
  );
  return undefined;
}
