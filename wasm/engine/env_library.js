// The functions that js_env.cpp calls. Each call goes to the `files` that the module was instantiated with
// (js/engine/files.d.ts). An exception becomes a number, and its message is kept for polystore_files_message.
// Emscripten 3.1.6 copies these functions into its glue as text, so they must be functions in the JavaScript of 2018.
const library = {
  $Files: {
    message: "",
    attempt: (action) => {
      try {
        return action(Module["files"]) || 0;
      } catch (error) {
        Files.message = error.message;
        if (error.code === "ERR_UNSUPPORTED") return -4;
        return error.code === "ERR_QUOTA" || error.name === "QuotaExceededError" ? -1 : -2;
      }
    },
    bytes: (address, length) => HEAPU8.subarray(address, address + length),
    path: (address, length) => new TextDecoder().decode(Files.bytes(address, length)),
  },
  polystore_files_open: function (path, length) {
    return Files.attempt((files) => files.open(Files.path(path, length)));
  },
  polystore_files_create: function (path, length) {
    return Files.attempt((files) => files.create(Files.path(path, length)));
  },
  polystore_files_replace: function (from, fromLength, to, toLength) {
    return Files.attempt((files) => files.replace(Files.path(from, fromLength), Files.path(to, toLength)));
  },
  polystore_files_remove: function (path, length) {
    return Files.attempt((files) => files.remove(Files.path(path, length)));
  },
  polystore_files_room: function (path, length) {
    return Files.attempt((files) => files.room(Files.path(path, length)));
  },
  polystore_files_check_lock: function () {
    return Files.attempt((files) => files.checkLock());
  },
  polystore_files_size: function (file) {
    return Files.attempt((files) => files.size(file));
  },
  polystore_files_read: function (file, offset, address, length) {
    return Files.attempt((files) => files.read(file, offset, Files.bytes(address, length)));
  },
  polystore_files_write: function (file, offset, address, length) {
    return Files.attempt((files) => files.write(file, offset, Files.bytes(address, length)));
  },
  polystore_files_truncate: function (file, size) {
    return Files.attempt((files) => files.truncate(file, size));
  },
  polystore_files_sync: function (file) {
    return Files.attempt((files) => files.sync(file));
  },
  polystore_files_close: function (file) {
    Files.attempt((files) => files.close(file));
  },
  polystore_files_message: function (address, room) {
    return new TextEncoder().encodeInto(Files.message, Files.bytes(address, room)).written;
  },
};
for (const name of Object.keys(library)) {
  if (name.startsWith("polystore_")) library[`${name}__deps`] = ["$Files"];
}
mergeInto(LibraryManager.library, library);
