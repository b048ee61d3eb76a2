// Whether numbers leave the range of their dtype on the way to a result.
#pragma once
#include <atomic>
#include <cfenv>

namespace nabla {

// Whether any number that was computed, on any thread, overflowed or lost digits below the smallest normal one: the
// processor's flags say it at no cost.
struct Range {
  std::atomic<bool> left{false};

  // Sees what its own thread computes while it lives.
  class Watch {
   public:
    explicit Watch(Range* range) : range_(range) {
      if (range_) std::feclearexcept(kFlags);
    }
    ~Watch() {
      if (range_ && std::fetestexcept(kFlags)) range_->left.store(true, std::memory_order_relaxed);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    static constexpr int kFlags = FE_OVERFLOW | FE_UNDERFLOW;
    Range* const range_;
  };
};

}  // namespace nabla
