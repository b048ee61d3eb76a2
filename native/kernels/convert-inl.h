// Included once per ISA: see convert.h.
#pragma once
#include "base/half.h"
#include "kernels/convert.h"

namespace nabla::NABLA_ISA {
namespace {

template <class To, class From>
struct Convert {
  static To value(From x) { return static_cast<To>(x); }
};
template <class From>
struct Convert<bool, From> {
  static bool value(From x) { return x != From(0); }
};

// Casting an out-of-range float to an integer is undefined in C++, so clamp it first.
template <class To, class From>
To clamp_to_integer(From x, From low, From past) {
  if (!(x == x)) return 0;
  if (x <= low) return static_cast<To>(low);
  if (x >= past) return static_cast<To>(-(static_cast<To>(low) + 1));
  return static_cast<To>(x);
}
#define NABLA_HOLD(From)                                                                                    \
  template <>                                                                                               \
  struct Convert<int32_t, From> {                                                                           \
    static int32_t value(From x) {                                                                          \
      return clamp_to_integer<int32_t, From>(x, From(-2147483648.0), From(2147483648.0));                   \
    }                                                                                                       \
  };                                                                                                        \
  template <>                                                                                               \
  struct Convert<int64_t, From> {                                                                           \
    static int64_t value(From x) {                                                                          \
      return clamp_to_integer<int64_t, From>(x, From(-9223372036854775808.0), From(9223372036854775808.0)); \
    }                                                                                                       \
  };                                                                                                        \
  template <>                                                                                               \
  struct Convert<uint8_t, From> {                                                                           \
    static uint8_t value(From x) {                                                                          \
      return x >= From(255) ? uint8_t{255} : x > From(0) ? static_cast<uint8_t>(x) : uint8_t{0};            \
    }                                                                                                       \
  };
NABLA_HOLD(float)
NABLA_HOLD(double)
#undef NABLA_HOLD

template <class T>
constexpr bool kIsHalf = is_half(DTypeOf<T>::value);

template <class To, class From>
To converted(From x) {
  if constexpr (__is_same(To, From))
    return x;
  else if constexpr (kIsHalf<From>)
    return converted<To>(widen(x));
  else if constexpr (kIsHalf<To>)
    return narrow<To>(to_odd(x));
  else
    return Convert<To, From>::value(x);
}

template <class To, class From>
void gather_convert(void* out, const void* in, int64_t stride, int64_t n) {
  To* __restrict y = static_cast<To*>(out);
  const From* __restrict x = static_cast<const From*>(in);
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++) y[i] = converted<To>(x[i]);
  } else if (stride == 0) {
    To value = n > 0 ? converted<To>(x[0]) : To{};
    for (int64_t i = 0; i < n; i++) y[i] = value;
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = converted<To>(x[i * stride]);
  }
}

template <class T>
void scatter_strided(void* out, int64_t stride, const void* in, int64_t n) {
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in);
  for (int64_t i = 0; i < n; i++) y[i * stride] = x[i];
}

template <class To>
constexpr void fill_gather_row(ConvertFn (&row)[kDTypeCount]) {
#define X(id, name, type) row[static_cast<int>(DType::id)] = gather_convert<To, type>;
  NABLA_DTYPES(X)
#undef X
}

constexpr ConvertTable make_convert_table() {
  ConvertTable t{};
#define X(id, name, type)                                       \
  fill_gather_row<type>(t.gather[static_cast<int>(DType::id)]); \
  t.scatter[static_cast<int>(DType::id)] = scatter_strided<type>;
  NABLA_DTYPES(X)
#undef X
  return t;
}

}  // namespace
}  // namespace nabla::NABLA_ISA
