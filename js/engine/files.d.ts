/**
 * What the engine does with files. Every call is answered at once; one that fails throws, an error whose `code` is
 * ERR_QUOTA where there is no room. Files are known by numbers that are not negative. None of this may call the engine.
 */
export interface Files {
  /** The number of a file, open for reading and writing; MISSING if there is none of that name. */
  open(path: string): number;
  /** The number of an empty file. What had the name is removed if it is a log; if not, this throws. */
  create(path: string): number;
  /**
   * Gives a file the name of the one that was opened by it, at once; but until the file is synced after that, a power failure may undo
   * it. If it throws, either may have the name. It throws where the name leads to another file.
   */
  replace(from: string, to: string): void;
  /** Removes a file, if there is one and it is a log, or was to become one. */
  remove(path: string): void;
  /** How many bytes can still be written. */
  room(path: string): number;

  /** Called before anything is written. Throws where another may have the lock of the log by now. */
  checkLock(): void;

  size(file: number): number;
  /** Fills `bytes` with what is at `offset`; all of that must be there. */
  read(file: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** Writes all of `bytes`. If it throws, any part may be written. */
  write(file: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void;
  truncate(file: number, size: number): void;
  /** Returns once what was written, and the name of the file, outlast a power failure. Throws where the name leads to another, or nowhere. */
  sync(file: number): void;
  close(file: number): void;
}

export declare const MISSING: -3;
