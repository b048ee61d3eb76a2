// Products of floats whose partial products leave the range of the dtype.
#pragma once
#include <atomic>
#include <cfenv>

#include "exec/call.h"

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

// Computes the products of a call once more, with exponents of their own, and replaces those that were wrong by more
// than rounding.
Status product_again(const Call& call);
// out[i] = the product of the other elements that are reduced with x[i], times the g of their result, where the
// dimensions are neighbors. in: g, x. attrs: [mask].
Status run_product_backward(const Call& call);

}  // namespace nabla
