import type { Store } from "../index.js";

type Callback<Result = void> = (error: any, result?: Result) => void;

/** What express-session calls, and what programs call on `req.sessionStore`. Without a callback, each method returns a promise. */
export interface SessionMethods {
  get(id: string, callback?: (error: any, session?: any) => void): any;
  /** The session lives as long as its cookie; if the cookie has no expiry, it has the default expiry of the store. */
  set(id: string, session: any, callback?: (error?: any) => void): any;
  /** Gives the session the expiry of its cookie, and leaves the stored data as they are. */
  touch(id: string, session: any, callback?: (error?: any) => void): any;
  destroy(id: string, callback?: (error?: any) => void): any;
  /** The sessions by their ids. */
  all(callback?: Callback<{ [id: string]: any }>): any;
  length(callback?: Callback<number>): any;
  /** Deletes everything that the store holds. */
  clear(callback?: (error?: any) => void): any;
}

/**
 * Makes the `store` of express-session.
 *
 * ```js
 * app.use(session({ secret, store: sessionStore(kv(redis).prefix("session:").expires("1 day"), session) }));
 * ```
 *
 * @param store A store with a prefix of its own, because `clear()` clears it. Its default expiry is for sessions whose cookies have none.
 * @param session The module `express-session`, whose class the result extends.
 * @returns `touch` fails with `ERR_UNSUPPORTED` if the storage cannot change atomically.
 */
export function sessionStore<Base>(
  store: Store<any>,
  session: { Store: abstract new () => Base },
): Base & SessionMethods;
