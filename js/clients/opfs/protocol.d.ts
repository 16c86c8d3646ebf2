// What the pages that share a log, and the worker that has it open, say to each other.

/** What a page asks for. Arrays are flat, for those are copied fastest. */
export type Wish =
  | { kind: "read"; /** Keys. */ items: string[] }
  | { kind: "write"; /** Key, JSON or null to erase, expiry; and so on. */ items: (string | number | null)[] }
  /** Answered by a number with a bit for each of them, the lowest for the first: whether it was removed. */
  | { kind: "removeIf"; items: { id: string; expires: number | null }[] }
  /** All with the prefix that expire until then, in milliseconds since the epoch; all if it is null. Answered by their number. */
  | { kind: "sweep"; prefix: string; until: number | null }
  | {
      kind: "list";
      prefix: string;
      after?: string;
      /** Only its first page, and not all. */ isPage: boolean;
      withValues: boolean;
    }
  | { kind: "end" };

/** A wish, as it is sent to the owner. */
export type Request = Wish & {
  /** The page: a random number. */
  session: number;
  /** Higher than those of the page's requests before. */
  sequence: number;
  /** The owner that this is meant for; any other passes over it. */
  term: number;
  /** The last request of the page that was refused, as far as the page has heard. */
  heard: number;
  /** It may have been made already, by an owner before. */
  isAgain: boolean;
  /** It is to be answered when it outlasts a power failure. */
  isStrict: boolean;
  /** How often the page has sent it. */
  attempt: number;
};

export type Answer =
  | { sequence: number; result: unknown }
  /** A page of a listing: a whole one has several messages of a bounded size, all of one moment. */
  | { sequence: number; attempt: number; page: import("./entry_page.js").EntryPage; moreFollow: boolean }
  /** A change that was refused is not noted. So as long as the page has not heard, the owner passes over what comes behind it:
   * a note of that would tell the next owner that the change was made. */
  | { sequence: number; error: Failure; isRefusal: boolean };

/** An error of ours, taken apart: not every browser copies one. */
export interface Failure {
  code: import("../../support/errors.js").Code;
  message: string;
  /** What the browser said. */
  cause?: { name: string; message: string };
}

/** An owner says that it is one: every page sends it what was not answered. Terms only grow. */
export interface Announcement {
  term: number;
}

/** The same, by way of the channel. */
export interface PublicAnnouncement extends Announcement {
  /** The page that started it: it is told directly, too. */
  session: number;
  /** It cannot open the files, so it gives the log to a worker that can. */
  yields: boolean;
}

/** What a page says to such an owner: its worker can, and waits for the log. */
export interface Offer {
  isAble: true;
}

/** What a page says to the owner whose term it does not know. */
export interface Question {
  isQuestion: true;
}

/** What a page says to its own worker. */
export type Order =
  | { begin: { name: string; session: number } }
  /** Let go of the log, and do not ask for it again until `resume`: the page is about to be frozen. */
  | "release"
  | "resume"
  /** The same, for good; answered by `ended`. */
  | "end";

/** What a worker says to its own page. */
export type Report =
  | Announcement
  | Answer
  /** It runs, and has the lock that tells the page when it does not any more. */
  | "alive"
  | "ended"
  /** It had the lock of the log and could not open it. */
  | { failure: Failure & { /** Whether no log can be had here. */ isUnavailable: boolean } };
