// A static store over a log that is open when the process ends, and a forked process that ends first.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <polystore/polystore.hpp>

namespace {

const polystore::Store store(polystore::log("static.kv"));

bool ends_well(pid_t process) {
    int status = 0;
    return waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

}  // namespace

int main() {
    store.set("soon", 1, {.expires = "1s"});
    const pid_t child = fork();
    if (child == 0) {
        alarm(300);  // This ends a process that would wait for ever.
        std::exit(EXIT_SUCCESS);
    }
    if (!ends_well(child)) return EXIT_FAILURE;
    for (int i = 0; i < 1000; ++i) store.set("key", i);
    return store.get("key") == 999 ? EXIT_SUCCESS : EXIT_FAILURE;
}
