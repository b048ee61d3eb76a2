// Macros for the functors of list.def: one expression over V, any vector or lane.
#pragma once
#include "kernels/math-core-inl.h"

#define NABLA_UNARY(Functor, expression)      \
  struct Functor {                            \
    template <class V>                        \
    NABLA_INLINE auto operator()(V x) const { \
      return expression;                      \
    }                                         \
  };
#define NABLA_BINARY(Functor, expression)          \
  struct Functor {                                 \
    template <class V>                             \
    NABLA_INLINE auto operator()(V x, V y) const { \
      return expression;                           \
    }                                              \
  };
#define NABLA_TERNARY(Functor, expression)              \
  struct Functor {                                      \
    template <class V>                                  \
    NABLA_INLINE auto operator()(V x, V y, V z) const { \
      return expression;                                \
    }                                                   \
  };

// For a function with a cheaper form of the same bits for arguments within +-limit: `inside` is for blocks entirely in
// that range.
#define NABLA_INSIDE(limit)                        \
  static constexpr bool kHasInside = true;         \
  template <class V>                               \
  NABLA_INLINE static auto is_inside(V argument) { \
    return abs(argument) <= limit;                 \
  }
#define NABLA_UNARY_INSIDE(Functor, function, limit) \
  struct Functor {                                   \
    NABLA_INSIDE(limit)                              \
    template <bool INSIDE = false, class V>          \
    NABLA_INLINE V operator()(V x) const {           \
      return function<INSIDE>(x);                    \
    }                                                \
  };
// x times a function of y.
#define NABLA_SLOPE_INSIDE(Functor, function, limit) \
  struct Functor {                                   \
    NABLA_INSIDE(limit)                              \
    template <bool INSIDE = false, class V>          \
    NABLA_INLINE V operator()(V x, V y) const {      \
      return x * function<INSIDE>(y);                \
    }                                                \
  };
