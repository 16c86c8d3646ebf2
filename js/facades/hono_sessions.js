/** @typedef {import("./hono_sessions.d.ts").SessionData} SessionData */

/**
 * The sessions of hono-sessions. hono_sessions.d.ts documents it.
 * @param {import("../index.d.ts").Store<any>} store
 * @returns {import("./hono_sessions.d.ts").SessionStore}
 */
export function sessionStore(store) {
  /**
   * @param {string} id
   * @param {SessionData} data
   */
  async function write(id, data) {
    // Before its first answer, a session has no expiry of its own.
    const expires = data._expire ? (Date.parse(data._expire) - Date.now()) / 1000 : undefined;
    await store.set(id, data, { expires });
  }
  return {
    getSessionById: async (id) => (id === undefined ? null : store.get(id)),
    createSession: write,
    persistSessionData: write,
    async deleteSession(id) {
      await store.del(id);
    },
  };
}
