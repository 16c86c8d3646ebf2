#pragma once

// One name for the coroutine support of every compiler that this project is built with. Debian's Emscripten 3.1.6
// (libc++ 13) only has <experimental/coroutine>, and clang looks up the traits in the namespace that the header
// declares.
#if __has_include(<coroutine>)
#include <coroutine>
namespace polystore::coroutine {
using std::coroutine_handle;
using std::suspend_always;
using std::suspend_never;
}  // namespace polystore::coroutine
#else
#include <experimental/coroutine>
namespace polystore::coroutine {
using std::experimental::coroutine_handle;
using std::experimental::suspend_always;
using std::experimental::suspend_never;
}  // namespace polystore::coroutine
#endif
