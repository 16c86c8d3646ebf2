#pragma once

namespace polystore::testing {

/// What the system refuses for as long as this is there, as some file systems do. One at a time.
class SystemFaults {
   public:
    struct Faults {
        int sync_of_folders = 0;  ///< The errno that fsync(2) of a folder fails with; 0 if it does not.
        int sync_of_files = 0;    ///< The same for files, and for fdatasync(2).
        int rename = 0;           ///< The errno that rename(2) fails with.
    };

    explicit SystemFaults(const Faults& faults);
    SystemFaults(const SystemFaults&) = delete;
    SystemFaults& operator=(const SystemFaults&) = delete;
    ~SystemFaults();
};

}  // namespace polystore::testing
