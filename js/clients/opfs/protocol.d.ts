/**
 * @file The messages between the pages that share a log and the worker that has the log open (its owner).
 *
 * Every page has a worker. The workers compete for one Web Lock, and the worker that gets it is the owner: it opens the files and
 * serves all pages. A page sends a `Request` to its own worker directly, or through a channel to the owner that another page's
 * worker is. The owner answers with an `Answer`. When an owner ends, the browser gives the lock to the next worker, which announces
 * a higher `term`; each page then sends its unanswered requests again. The owner records the last result of each page in the log,
 * together with the change, so that a retried change is not made twice.
 */

/** A command that a page gives the owner. Arrays are flat, because flat arrays are copied fastest. */
export type Command =
  | { kind: "read"; /** Keys. */ items: string[] }
  | {
      kind: "write";
      /** Three items for each change: its key, its JSON text (null removes the record), and its expiry. */
      items: (string | number | null)[];
    }
  /** The answer is a number with one bit per commit, the lowest bit for the first one: 1 if it was made, 0 if it was refused. */
  | { kind: "commit"; items: CommitItem[] }
  /**
   * Removes the records in the range that expire at `until` (milliseconds since the epoch) or before; all records in the range if
   * `until` is null. The answer is the number of removed records.
   */
  | { kind: "sweep"; range: import("../../core/client.js").Range; until: number | null }
  | {
      kind: "list";
      range: import("../../core/client.js").Range;
      /** True for the first page only, false for the whole listing. */ isPage: boolean;
      withValues: boolean;
    }
  /** Asks the owner to tell the page of the changes of other pages, or not to tell any more. The next owner has to be asked again. */
  | { kind: "watch"; isWatching: boolean }
  | { kind: "end" };

/** A commit with expectations. */
export interface CommitItem {
  /** The records that were found at some keys: the expiry and, if its value is compared too, its JSON text; null if there was no record. */
  expected: { id: string; found: { expires: number | null; version?: string } | null }[];
  /** As in a "write". */
  changes: (string | number | null)[];
}

/** A command, as the page sends it to the owner. */
export type Request = Command & {
  /** The page that sends it: a random number. */
  session: number;
  /** Higher than the sequence of every earlier request of the page. */
  sequence: number;
  /** The term of the owner that this is meant for; any other owner ignores it. */
  term: number;
  /** The sequence of the last refused request whose refusal has reached the page. */
  acknowledged: number;
  /** True if an earlier owner may have carried it out already. */
  isRetry: boolean;
  /** True if the answer must wait until the change survives a power failure. */
  isStrict: boolean;
  /** The number of times that the page has sent it. */
  attempt: number;
};

export type Answer =
  | { sequence: number; result: unknown }
  /** One page of a listing. A whole listing is several messages of a bounded size, all from one snapshot. */
  | { sequence: number; attempt: number; page: import("../../engine/entry_page.js").EntryPage; moreFollow: boolean }
  /**
   * A refused change is not recorded. Until the page acknowledges the refusal, the owner ignores the page's later requests:
   * recording one of them would tell the next owner that the refused change was made.
   */
  | { sequence: number; error: Failure; isRefusal: boolean };

/** The changes of another page, for a page that watches. It comes before every answer that shows them. */
export interface Notice {
  told: import("../../support/told.js").Told[];
}

/** A PolystoreError as a plain object, because not every browser can copy an error in a message. */
export interface Failure {
  code: import("../../support/errors.js").Code;
  message: string;
  /** The browser's own error. */
  cause?: { name: string; message: string };
}

/** A worker announces that it is the owner now. Every page then sends it the unanswered requests. Terms only grow. */
export interface Announcement {
  term: number;
}

/** The announcement as it is sent through the channel. */
export interface PublicAnnouncement extends Announcement {
  /** The page that started the owner. That page ignores this message, because the owner tells it directly as well. */
  session: number;
  /** True if this owner cannot open the files synchronously: it hands the log over to a worker that can. */
  yields: boolean;
}

/** A page offers such an owner its own worker, which can open the files and waits for the log. */
export interface Offer {
  isAble: true;
}

/** A page that does not know the owner's term asks the owner to announce itself. */
export interface Question {
  isQuestion: true;
}

/** An instruction that a page gives its own worker. */
export type Control =
  | { begin: { name: string; session: number } }
  /** Release the log, and do not request it again before `resume`: the browser is about to freeze the page. */
  | "release"
  | "resume"
  /** Release the log for good. The worker answers with `ended`. */
  | "end";

/** A message that a worker sends to its own page. */
export type Status =
  | Announcement
  | Answer
  | Notice
  /** The worker runs, and holds the lock that the page gets when the worker ends. */
  | "alive"
  | "ended"
  /** The worker had the lock of the log and could not open the log. */
  | { failure: Failure & { /** True if this browser cannot open any log here. */ isUnavailable: boolean } };
