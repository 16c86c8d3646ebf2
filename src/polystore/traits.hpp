#pragma once

#include <cstdint>

/// What the core, the driver and the stores have to know about a client.
namespace polystore {

/// An ability of a client, or its state.
enum class Trait : std::uint32_t {
    manages_expiry = 1 << 0,  ///< The client never shows an expired record.
    add = 1 << 1,             ///< The client chooses the keys of `add` itself.
    list = 1 << 2,            ///< The client can list its records.
    sweeps_all = 1 << 3,      ///< The client can remove all records in a range by itself.
    sweeps_expired = 1 << 4,  ///< The client can remove the expired records in a range by itself.
    closed = 1 << 5,          ///< The client was closed.
    compares = 1 << 6,        ///< The client can make a change on the condition that a record is the one that was read.
    transactions = 1 << 7,    ///< The client can do so with several records, all of them or none.
};

/// A set of bits, which can cross a language boundary as a number.
class Traits {
   public:
    constexpr Traits() = default;
    constexpr explicit Traits(std::uint32_t bits) : bits_(bits) {}
    constexpr Traits(Trait trait) : bits_(static_cast<std::uint32_t>(trait)) {}

    [[nodiscard]] constexpr bool operator[](Trait trait) const {
        return (bits_ & static_cast<std::uint32_t>(trait)) != 0;
    }
    [[nodiscard]] constexpr Traits operator|(Traits other) const { return Traits(bits_ | other.bits_); }
    [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }

   private:
    std::uint32_t bits_ = 0;
};

[[nodiscard]] constexpr Traits operator|(Trait left, Trait right) { return Traits(left) | right; }

/// Says whom a commit keeps out: no change of theirs comes between the check of its expectations and its changes.
enum class Atomic : std::uint8_t {
    none,     ///< Nobody: the client cannot check and change in one step.
    process,  ///< Other users of the same client object, which is used by this process only.
    origin,   ///< Every process that uses this library on the storage.
    storage,  ///< Everyone who writes to the storage.
};

/// Says whose changes a watcher hears.
enum class Reach : std::uint8_t {
    process,  ///< Those that are made through the same client object.
    origin,   ///< Those of every process that uses this library on the storage.
    storage,  ///< Those of everyone who writes to the storage.
};

/// The keys that a client can hold.
enum class Keys : std::uint8_t {
    any,   ///< Any bytes.
    utf8,  ///< Valid UTF-8 only. A store throws ERR_KEY for other keys before it calls the client.
};

/// The constant properties of a client.
struct ClientTraits {
    /// A client does not set `Trait::compares` and `Trait::transactions`, which follow from `atomic` and `many`, nor
    /// `Trait::closed`.
    Traits can = Trait::list;
    Keys keys = Keys::any;
    Atomic atomic = Atomic::process;
    /// True if a commit may expect and change several keys, as a whole.
    bool many = false;
    /// The writers whose changes come through this client: `Reach::storage` if nobody else can write to the storage
    /// meanwhile.
    Reach reach = Reach::process;
};

}  // namespace polystore
