// Products whose exponents are kept apart, so that none overflows or underflows on the way.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nabla {

// part * 2^exponent, with 0.5 <= |part| < 1 or a part that is 0, infinite or NaN.
struct Product {
  double part = 1;
  int64_t exponent = 0;

  void times(double factor) {
    int own, joint;
    part = std::frexp(part * std::frexp(factor, &own), &joint);
    if (std::isfinite(part)) exponent += own + joint;
  }
  void times(const Product& other) {
    times(other.part);
    exponent += other.exponent;
  }
  double value() const { return std::ldexp(part, static_cast<int>(std::clamp<int64_t>(exponent, -5000, 5000))); }
};

}  // namespace nabla
