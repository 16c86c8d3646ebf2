import type { Store } from "../index.js";

/** The state of a counter. */
export interface RateLimitInfo {
  totalHits: number;
  /** When the window ends. It does not move with later hits. */
  resetTime: Date;
}

/** What express-rate-limit and hono-rate-limiter call. */
export interface RateLimitStore {
  /** The prefix of the store. */
  readonly prefix: string;
  /** The host calls it with its options. The window is a minute until then. */
  init(options: { windowMs: number }): void;
  get(key: string): Promise<RateLimitInfo | undefined>;
  /** Counts a hit, atomically. */
  increment(key: string): Promise<RateLimitInfo>;
  /** Takes a hit back, atomically. After the end of its window, it does nothing. */
  decrement(key: string): Promise<void>;
  resetKey(key: string): Promise<void>;
  /** Deletes everything that the store holds. */
  resetAll(): Promise<void>;
}

/**
 * Makes the `store` of a limiter of express-rate-limit or hono-rate-limiter. All processes that the atomic changes of the store keep out
 * share its counters; see `store.atomic`.
 *
 * ```js
 * rateLimit({ windowMs: 60_000, limit: 100, store: rateLimitStore(kv(redis).prefix("limit:")) });
 * ```
 *
 * @param store A store with a prefix of its own for each limiter, because `resetAll()` clears it.
 * @returns The methods reject with `ERR_UNSUPPORTED` if the storage cannot change atomically.
 */
export function rateLimitStore(store: Store<any>): RateLimitStore;
