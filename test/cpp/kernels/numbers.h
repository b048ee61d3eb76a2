// Inputs that are the same on every machine.
#pragma once
#include "check.h"

namespace nabla::test {

class Numbers {
 public:
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  // Any bit pattern, moderate values, and special ones, in turn.
  template <class T>
  T value(int64_t i) {
    if constexpr (std::is_floating_point_v<T>) {
      static const std::vector<T> special = special_values<T>();
      if (i % 4 == 0) return from_bits<T>(static_cast<typename BitsOf<T>::Type>(next()));
      if (i % 4 == 1 && i % 3 == 0) return special[next() % special.size()];
      const double moderate = static_cast<double>(next() >> 11) * 0x1p-52 - 1;
      return static_cast<T>(moderate * static_cast<double>(1 << (next() % 8)));
    } else if constexpr (std::is_same_v<T, bool>) {
      return next() & 1;
    } else {
      return static_cast<T>(i % 3 ? next() % 17 - 5 : next());
    }
  }

 private:
  uint64_t state_ = 88172645463325252u;
};

// Vectors of bool have no data().
template <class T>
using Byte = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

}  // namespace nabla::test
