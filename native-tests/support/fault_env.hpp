#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "polystore/engine/env.hpp"

namespace polystore::testing {

/// Files in memory. A crash only keeps their synced contents, and every call can be made to fail.
class FaultEnv : public engine::Env {
   public:
    /// The number of bytes that a disk writes as a whole.
    static constexpr std::size_t kSector = 512;

    /// The contents that programs see, and those that a power failure leaves.
    struct Content {
        std::string seen;
        std::string synced;
    };

    /// Makes the call after the next `calls` calls fail: once, or with `for_good` also every call after it. A failing
    /// write still writes half of its bytes.
    void fail_after(int calls, bool for_good = false) {
        calls_left_ = calls;
        for_good_ = for_good;
    }
    void fail_no_more() { calls_left_ = kNoFault; }
    /// True if a call failed since `fail_after`.
    [[nodiscard]] bool has_failed() const { return calls_left_ < 0; }

    /// Pretends that another process has taken the lock. With `unnoticed`, `Lock::check` relies on an earlier check.
    void lose_lock(bool unnoticed = false) {
        lock_is_lost_ = true;
        loss_is_unnoticed_ = unnoticed;
    }

    /// Pretends that no file can be replaced, as if each were mounted alone into a container.
    void refuse_replacing() { replaces_ = false; }
    void allow_replacing() { replaces_ = true; }

    /// Sets the maximum number of bytes of all files together.
    void limit(std::size_t bytes) { limit_ = bytes; }

    /// Simulates a power failure, after which objects from before must not be used. At the end of each file, `kept`
    /// unsynced bytes survive.
    void crash(std::size_t kept = 0) {
        fail_no_more();
        locked_ = false;
        for (const auto& [path, before] : std::exchange(replaced_, {})) {
            if (calls_made_ % 3 == 0) continue;  // The new name is already on the disk.
            files_[before.new_path] = std::exchange(files_[path], before.content);
            if (!before.content) files_.erase(path);
        }
        for (auto& [path, content] : files_) {
            std::string left = content->synced;
            if (content->seen.size() > left.size() && content->seen.starts_with(left)) {
                left += content->seen.substr(left.size(), kept);
            }
            content = std::make_shared<Content>(Content{left, left});
        }
    }

    /// Returns the contents that a power failure leaves of a file that only grew, on a disk that writes sectors in any
    /// order. Of the unsynced sectors, those for which `keeps` returns true survive, and the others are zeros. The file
    /// keeps its length or, with `cut`, ends after the last surviving sector.
    [[nodiscard]] std::string left_out_of_order(const std::string& path,
                                                const std::function<bool(std::size_t sector)>& keeps, bool cut) const {
        const auto& [seen, synced] = *files_.at(path);
        std::string left = synced;
        std::size_t end = left.size();
        left.resize(seen.size());
        for (std::size_t at = synced.size() / kSector * kSector; at < seen.size(); at += kSector) {
            if (!keeps(at / kSector)) continue;
            left.replace(at, kSector, seen.substr(at, kSector));
            end = std::min(seen.size(), at + kSector);
        }
        return cut ? left.substr(0, end) : left;
    }

    [[nodiscard]] bool has(const std::string& path) const { return files_.contains(path); }
    [[nodiscard]] const std::string& text(const std::string& path) const { return files_.at(path)->seen; }
    void put(const std::string& path, const std::string& text) {
        files_[path] = std::make_shared<Content>(Content{text, text});
    }
    [[nodiscard]] int syncs() const { return syncs_; }

    engine::Result<std::shared_ptr<engine::File>> open(const std::string& path) override {
        if (fails()) return failure("open");
        const auto found = files_.find(path);
        if (found == files_.end()) return std::shared_ptr<engine::File>();
        return std::shared_ptr<engine::File>(std::make_shared<FaultFile>(*this, found->second));
    }

    engine::Result<std::shared_ptr<engine::File>> create(const std::string& path) override {
        if (fails()) return failure("create");
        files_[path] = std::make_shared<Content>();
        return std::shared_ptr<engine::File>(std::make_shared<FaultFile>(*this, files_[path]));
    }

    engine::Status replace(const std::string& from, const std::string& to) override {
        if (!replaces_) return engine::Failure{ErrorCode::unsupported, "It is mounted."};
        // Whether the failure comes before or after the replacement is uncertain, so both happen.
        const bool failed = fails();
        if (!failed || calls_made_ % 2 == 0) {
            replaced_.try_emplace(to, Replaced{from, std::exchange(files_[to], files_.at(from))});
            files_.erase(from);
        }
        if (failed) return failure("replace");
        return engine::Done{};
    }

    engine::Result<std::uint64_t> room(const std::string& /*path*/) override {
        if (fails()) return failure("room");
        return std::uint64_t{limit_ - std::min(limit_, used())};
    }

    engine::Status remove(const std::string& path) override {
        if (fails()) return failure("remove");
        files_.erase(path);
        return engine::Done{};
    }

    engine::Result<std::unique_ptr<engine::Lock>> lock(const std::string& /*path*/) override {
        if (fails()) return failure("lock");
        if (locked_) return engine::Failure{ErrorCode::client, "It is locked."};
        auto lock = std::make_unique<FaultLock>(*this);
        locked_ = true;
        return std::unique_ptr<engine::Lock>(std::move(lock));
    }

   private:
    static constexpr int kNoFault = std::numeric_limits<int>::max();

    class FaultFile : public engine::File {
       public:
        FaultFile(FaultEnv& env, std::shared_ptr<Content> content) : env_(env), content_(std::move(content)) {}

        engine::Result<std::uint64_t> size() override {
            if (env_.fails()) return failure("size");
            return std::uint64_t{content_->seen.size()};
        }

        engine::Result<std::string_view> read(std::uint64_t offset, std::size_t length, std::string& buffer) override {
            if (env_.fails()) return failure("read");
            if (offset + length > content_->seen.size()) return failure("read beyond the end");
            buffer = content_->seen.substr(offset, length);
            return std::string_view(buffer);
        }

        engine::Status write(std::uint64_t offset, std::string_view bytes) override {
            const bool failed = env_.fails();
            const std::size_t room = env_.limit_ - std::min(env_.limit_, env_.used());
            const std::size_t more =
                offset + bytes.size() - std::min<std::size_t>(content_->seen.size(), offset + bytes.size());
            const bool full = more > room;
            if (failed) bytes = bytes.substr(0, bytes.size() / 2);
            if (!failed && full) bytes = bytes.substr(0, bytes.size() - (more - room));
            if (offset > content_->seen.size()) return failure("write beyond the end");
            content_->seen.replace(offset, bytes.size(), bytes);
            if (failed) return failure("write");
            if (full) return engine::Failure{ErrorCode::quota, "The disk is full."};
            return engine::Done{};
        }

        engine::Status truncate(std::uint64_t size) override {
            if (env_.fails()) return failure("truncate");
            content_->seen.resize(size);
            return engine::Done{};
        }

        engine::Status sync() override {
            if (env_.fails()) return failure("sync");
            ++env_.syncs_;
            content_->synced = content_->seen;
            std::erase_if(env_.replaced_, [&](const auto& name) {
                const auto file = env_.files_.find(name.first);  // It may have been removed since.
                return file != env_.files_.end() && file->second == content_;
            });
            return engine::Done{};
        }

       private:
        FaultEnv& env_;
        std::shared_ptr<Content> content_;
    };

    class FaultLock : public engine::Lock {
       public:
        explicit FaultLock(FaultEnv& env) : env_(env) {}
        FaultLock(const FaultLock&) = delete;
        FaultLock& operator=(const FaultLock&) = delete;
        ~FaultLock() override { env_.locked_ = false; }

        engine::Status check() override {
            if (env_.loss_is_unnoticed_) return engine::Done{};
            return check_now();
        }

        engine::Status check_now() override {
            if (env_.lock_is_lost_) return engine::Failure{ErrorCode::client, "It has another."};
            return engine::Done{};
        }

       private:
        FaultEnv& env_;
    };

    static engine::Failure failure(const std::string& call) { return {ErrorCode::client, "Injected: " + call + "."}; }

    bool fails() {
        ++calls_made_;
        if (calls_left_ == kNoFault) return false;
        if (calls_left_ < 0) return for_good_;
        return calls_left_-- == 0;
    }

    [[nodiscard]] std::size_t used() const {
        std::size_t bytes = 0;
        for (const auto& [path, content] : files_) bytes += content->seen.size();
        return bytes;
    }

    /// The contents that had a name before `replace` gave the name to a file that has not been synced since; null if
    /// none.
    struct Replaced {
        std::string new_path;  ///< The name that the file had before.
        std::shared_ptr<Content> content;
    };

    std::map<std::string, std::shared_ptr<Content>> files_;
    std::map<std::string, Replaced> replaced_;
    bool locked_ = false;
    bool lock_is_lost_ = false;
    bool loss_is_unnoticed_ = false;
    bool replaces_ = true;
    int calls_made_ = 0;
    int calls_left_ = kNoFault;
    bool for_good_ = false;
    std::size_t limit_ = std::numeric_limits<std::size_t>::max();
    int syncs_ = 0;
};

}  // namespace polystore::testing
