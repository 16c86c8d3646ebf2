/**
 * The file operations that the engine needs. Every call is synchronous. A call that fails throws; the error has the `code` ERR_QUOTA
 * if the storage is full. Files are identified by numbers from 0 on. No implementation may call the engine.
 */
export interface Files {
  /** Opens a file for reading and writing. Returns its number; MISSING if no file has that name. */
  open(path: string): number;
  /** Creates an empty file, and returns its number. An existing log of that name is removed; any other existing file makes this throw. */
  create(path: string): number;
  /**
   * Renames the file `from` to `to`, atomically. A power failure may undo the rename until the file is synced afterwards. It throws
   * ERR_UNSUPPORTED if `to` cannot be replaced, for example because it alone is mounted into a container; nothing has changed then. If it
   * throws another error, either file may have the name. It throws if `to` is no longer the file that was opened by that name.
   */
  replace(from: string, to: string): void;
  /** Removes a file, if it exists and is a log or an unfinished log. */
  remove(path: string): void;
  /** Returns the number of bytes that can still be written. */
  room(path: string): number;

  /** Called before every write. Throws if another process may hold the lock of the log by now. */
  checkLock(): void;

  size(file: number): number;
  /** Fills `bytes` with the bytes at `offset`; throws if the file ends before. */
  read(file: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** Writes all of `bytes`. If it throws, any part of them may be written. */
  write(file: number, offset: number, bytes: Uint8Array<ArrayBuffer>): void;
  truncate(file: number, size: number): void;
  /** Makes all written bytes and the file's name survive a power failure. Throws if the name now means another file, or no file. */
  sync(file: number): void;
  close(file: number): void;
}

export declare const MISSING: -3;
