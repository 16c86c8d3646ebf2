import type { Store } from "../index.js";

/** A session, as hono-sessions keeps it. */
export interface SessionData {
  _data: any;
  /** When the session expires, as a text of ISO 8601. */
  _expire: string | null;
  _delete: boolean;
  _accessed: string | null;
  _id?: string;
}

/** What hono-sessions calls. */
export interface SessionStore {
  getSessionById(id?: string): Promise<SessionData | null>;
  createSession(id: string, data: SessionData): Promise<void>;
  persistSessionData(id: string, data: SessionData): Promise<void>;
  deleteSession(id: string): Promise<void>;
}

/**
 * Makes the `store` of hono-sessions.
 *
 * ```js
 * app.use(sessionMiddleware({ store: sessionStore(kv(env.KV).prefix("session:")), expireAfterSeconds: 900 }));
 * ```
 *
 * @param store A store. Its default expiry is for sessions without `expireAfterSeconds`.
 */
export function sessionStore(store: Store<any>): SessionStore;
