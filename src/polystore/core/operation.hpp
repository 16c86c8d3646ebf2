#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>

#include "polystore/core/coroutine.hpp"
#include "polystore/core/frame_pool.hpp"

/// An operation on a store, as a coroutine that asks questions and receives answers.
///
/// An operation does no I/O and never sees the bytes of a key or value. Whenever it needs something, it suspends with a
/// question (`ask()`), and continues when a driver answers. The driver holds the key and the value, and may answer at
/// once or an hour later. A driver that cannot answer cancels the operation by destroying it.
///
///     Operation operation = get(traits);
///     while (operation.ask() != Ask::nothing) operation.answer(perform(operation.ask()));
///     return operation.outcome();
namespace polystore {

/// The step that an operation needs before it can continue. Each line describes the step and the driver's answer.
enum class Ask : std::uint8_t {
    nothing,    ///< The operation has ended: see `Operation::outcome()`.
    read,       ///< Read the record at the key. Answer `found`, and in `number` its expiry (or `kNever`).
    put,        ///< Put the value at the key, with the expiry in `number()`.
    remove,     ///< Remove the record at the key, if there is one.
    remove_if,  ///< Remove the record at the key if it is still the one that was read.
    make_key,   ///< Choose a fresh random key for this operation, and remember it.
    add,        ///< Let the client choose the key and put the value, with the expiry in `number()`.
    clock,      ///< Answer the time in `number`, in milliseconds since the epoch.
    page,       ///< Fetch the next page of records, of those that have the prefix or of those at the keys of the call.
                ///< Answer with `answer_page`.
    sift,   ///< Hand over the records of the page with `Verdict::keep`, and remove those with `Verdict::remove` if they
            ///< are still the ones that were read. Answer in `number` how many were removed.
    sweep,  ///< Let the client remove the records that have the prefix and expire at `number()` or before, or all of
            ///< them if it is `kNever`. Answer in `number` how many were removed.
    change,  ///< Choose the changes from what the pages of this attempt showed. Answer `found` if there is any.
    commit,  ///< Make these changes, all of them or none, if every record is still the one that was read. Answer
             ///< `found` if they were made.
    drain,   ///< Answer once no other operation on this client is in progress.
    close,   ///< Release the client.
};

/// The number of bits for an `Ask` where it crosses to JavaScript as part of a number.
inline constexpr unsigned kAskBits = 4;
static_assert(static_cast<unsigned>(Ask::close) < (1U << kAskBits), "Ask::close is the last, and fits.");

/// How an operation ended.
enum class Outcome : std::uint8_t {
    done,         ///< The operation is complete. After `prune`, `number()` is the number of removed records.
    value,        ///< The value that was read last is the result.
    absent,       ///< There is no value at the key.
    yes,          ///< The key is there.
    no,           ///< The key is not there.
    closed,       ///< The client was closed before the operation began.
    unsupported,  ///< The client lacks the ability that the method needs.
    renew,        ///< As `value`. The value's life is to be renewed, because an eighth of it is over.
    conflict,     ///< Other writers changed the records in every attempt. Nothing was changed.
    seconds,      ///< The result is `number()`, in seconds; `kNever` if the value does not expire.
};

/// The operation's decision about one record of a page.
enum class Verdict : std::uint8_t {
    leave,   ///< The record is neither handed over nor removed.
    keep,    ///< The record is handed over.
    remove,  ///< The record is removed, unless it was overwritten since the operation began.
};

/// The driver's answer to a question.
struct Answer {
    bool found = false;
    double number = 0;
};

/// One page of records: the driver fills in the expiry of each, and the operation writes the verdict on each. All spans
/// have the same length, which may be 0.
///
/// A listing keeps or removes the records. A change of some keys tells by `Verdict::keep` which of them have a value,
/// and replaces each expiry by the one of a value that is put there; see `kOver`.
struct Page {
    /// In milliseconds since the epoch, or `kNever`. For a change, `kOver` means that there is no record.
    std::span<double> expires;
    std::span<Verdict> verdicts;
    /// For a change: the life in seconds of a value that is put at each key, or `kNever`. Otherwise, it is not used.
    std::span<const double> lives;
    /// True if there are no more pages.
    bool end = false;
};

class [[nodiscard]] Operation {
   public:
    class promise_type;
    using Handle = coroutine::coroutine_handle<promise_type>;

    explicit Operation(Handle handle) noexcept : handle_(handle) {}
    Operation(Operation&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Operation& operator=(Operation&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    ~Operation() {
        if (handle_) handle_.destroy();
    }

    /// The question that the operation waits on; `Ask::nothing` once it has ended.
    [[nodiscard]] Ask ask() const noexcept;

    /// The number that belongs to `ask()` or to `outcome()`.
    [[nodiscard]] double number() const noexcept;

    /// The operation's result. Call this only when `ask()` is `Ask::nothing`.
    [[nodiscard]] Outcome outcome() const noexcept;

    /// Answers the current question, and runs the operation to its next question or its end.
    void answer(Answer answer);

    /// Answers `Ask::page`. The page must stay valid until the next answer.
    void answer_page(Page page);

    /// Gives up ownership, for a caller that keeps the handle as a number. The constructor takes it back.
    [[nodiscard]] Handle release() noexcept { return std::exchange(handle_, nullptr); }

   private:
    Handle handle_;
};

class Operation::promise_type {
   public:
    /// A question that an operation asks: `co_await Question{Ask::read}`.
    struct Question {
        Ask ask;
        double number = 0;
    };

    /// The question `Ask::page`, whose answer is a page.
    struct PageQuestion {};

    /// The end that an operation returns: `co_return {Outcome::done}`.
    struct End {
        Outcome outcome;
        double number = 0;
    };

    static void* operator new(std::size_t size) noexcept { return FramePool::take(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { FramePool::release(frame, size); }

    // If there is no memory for a frame, the process cannot do anything useful any more, in a browser or outside.
    static Operation get_return_object_on_allocation_failure() noexcept { std::terminate(); }
    Operation get_return_object() noexcept { return Operation(Handle::from_promise(*this)); }
    coroutine::suspend_never initial_suspend() noexcept { return {}; }
    coroutine::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { std::terminate(); }

    void return_value(End end) noexcept {
        ask = Ask::nothing;
        number = end.number;
        outcome = end.outcome;
    }

    auto await_transform(Question question) noexcept {
        ask = question.ask;
        number = question.number;
        struct Awaiter : coroutine::suspend_always {
            promise_type* promise;
            Answer await_resume() const noexcept { return promise->answer; }
        };
        return Awaiter{{}, this};
    }

    auto await_transform(PageQuestion /*question*/) noexcept {
        ask = Ask::page;
        struct Awaiter : coroutine::suspend_always {
            promise_type* promise;
            Page await_resume() const noexcept { return promise->page; }
        };
        return Awaiter{{}, this};
    }

    Answer answer;
    Page page;
    double number = 0;
    Ask ask = Ask::nothing;
    Outcome outcome = Outcome::done;
};

inline Ask Operation::ask() const noexcept { return handle_.promise().ask; }
inline double Operation::number() const noexcept { return handle_.promise().number; }
inline Outcome Operation::outcome() const noexcept { return handle_.promise().outcome; }

inline void Operation::answer(Answer answer) {
    handle_.promise().answer = answer;
    handle_.resume();
}

inline void Operation::answer_page(Page page) {
    handle_.promise().page = page;
    handle_.resume();
}

}  // namespace polystore
