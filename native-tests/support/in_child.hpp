#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>

namespace polystore::testing {

/// Returns the result of `work` in a forked process, or "" if the process ends abnormally or takes more than five
/// minutes: it waits for ever.
inline std::string in_child(const std::function<std::string()>& work) {
    constexpr unsigned kMostSeconds = 300;
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("pipe failed");
    const pid_t child = fork();
    if (child == 0) {
        alarm(kMostSeconds);
        std::string result;
        try {
            result = work();
        } catch (const std::exception& error) {
            result = error.what();
        }
        _exit(write(ends[1], result.data(), result.size()) < 0 ? 1 : 0);
    }
    close(ends[1]);
    std::string result;
    for (char c = 0; read(ends[0], &c, 1) == 1;) result += c;
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return result;
}

/// Like `in_child`, but as a user who is subject to permissions, unlike root.
inline std::string as_ordinary_user(const std::function<std::string()>& work) {
    return in_child([&]() -> std::string {
        constexpr unsigned kNobody = 65534;
        if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return "setuid failed";
        return work();
    });
}

}  // namespace polystore::testing
