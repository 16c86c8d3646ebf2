import { NAMES, OpfsFiles, patiently } from "./opfs_files.js";
import { Journal } from "./journal.js";
import { MemoryFile } from "./memory_file.js";

/**
 * The files of a log in a context that can only read them. The files are copied to memory, and every write to the copies is also
 * kept in the log's journal.
 */
export class JournaledFiles extends OpfsFiles {
  #journal;

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} name Of the log.
   */
  static async open(folder, name) {
    const journal = await Journal.open(name);
    try {
      const files = await Promise.all(NAMES.map((name) => copy(folder, name)));
      await journal.replay(files);
      for (const [i, file] of files.entries()) {
        file.onchange = (change) => journal.add(i, change);
        file.flush = () => journal.commit();
      }
      const opened = new JournaledFiles(files, folder.name, journal);
      await opened.measureRoom();
      return opened;
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  /**
   * @param {MemoryFile[]} files
   * @param {string} folder Its name.
   * @param {Journal} journal
   */
  constructor(files, folder, journal) {
    super(files, folder);
    this.#journal = journal;
  }

  commit() {
    return this.#journal.commit();
  }

  end() {
    super.end();
    this.#journal.close();
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 */
async function copy(folder, name) {
  const file = await folder.getFileHandle(name, { create: true });
  return new MemoryFile(await patiently(async () => (await file.getFile()).arrayBuffer()));
}
