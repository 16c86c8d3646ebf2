#pragma once

namespace polystore::testing {

/// While this object exists, the given system calls fail, as on some file systems. Only one may exist at a time.
class SystemFaults {
   public:
    struct Faults {
        int sync_of_folders = 0;  ///< The errno of a failing fsync(2) of a folder; 0 if it succeeds.
        int sync_of_files = 0;    ///< The errno of a failing fsync(2) or fdatasync(2) of a file; 0 if it succeeds.
        int rename = 0;           ///< The errno of a failing rename(2), except of a lock file; 0 if it succeeds.
        /// The number of the call of write(2), fsync(2), rename(2) or unlink(2) at which the process is killed; 0 if it
        /// is not. A write is two of these calls: half of it is made before the second one.
        int kill_at = 0;
    };

    explicit SystemFaults(const Faults& faults);
    SystemFaults(const SystemFaults&) = delete;
    SystemFaults& operator=(const SystemFaults&) = delete;
    ~SystemFaults();
};

}  // namespace polystore::testing
