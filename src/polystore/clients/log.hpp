#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "polystore/client.hpp"
#include "polystore/durability.hpp"
#include "polystore/options.hpp"

namespace polystore {

using engine::Durability;

struct LogOptions {
    Durability durability = Durability::relaxed;
    /// The clock of the stores over the client, if it is not the system clock. Without it, the log removes what has
    /// expired within a second, without a call. With it, only calls do, because another clock cannot be waited for.
    Clock clock = {};
};

/// A client that keeps its records in a log: a file to which every change is appended, in the format of
/// engine/log_format.hpp. A write costs what it writes, a read one look into the file, a listing what it lists; the
/// keys are in memory, the values are not.
///
/// The file is opened by the first call, which makes it if it is missing, with its folders, and by the first one after
/// `close()`; links are followed then. As long as it is open no other client may have it, in this process or another:
/// those fail with ERR_CLIENT, and say which process has it: a file beside it does, `<path>.lock-<token>`. Nor may a
/// process that is forked meanwhile: there, calls fail with ERR_CLIENT. The file may have no second name (a hard link).
/// When it is removed, replaced or moved while it is open, writes fail with ERR_CLIENT from the next flush on.
///
/// After a crash the file holds every change that was acknowledged, as `durability` has it, and no half of any. A
/// listing shows what was there when it began. When more than half of a file is out of date, a thread writes a new one
/// beside it, `<path>.new`, which takes its place. What is there already and is not a log stays, and is ERR_CLIENT.
///
/// Keys must be UTF-8, or are ERR_KEY. Times of expiry are kept to the millisecond. A full disk is ERR_QUOTA: all that
/// was stored is there still. A file that is damaged, or no log, is ERR_CORRUPT and is left as it is; the program
/// polystore_salvage makes a log of what is whole in it.
[[nodiscard]] std::shared_ptr<Client> log(const std::filesystem::path& path, LogOptions options = {});

}  // namespace polystore
