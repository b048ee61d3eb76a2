// The vector vocabulary without vectors: the reference, and the last resort.
#pragma once
#include "kernels/simd/lane.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
using Vec = Lane<T>;
template <class T>
using Mask = bool;

// f, written for vectors of double, over vectors of float.
template <class F, class... V>
inline Lane<float> in_double(F f, V... x) {
  return static_cast<float>(f(Lane<double>(x.v)...).v);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
