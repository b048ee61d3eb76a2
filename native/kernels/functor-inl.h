// How list.def's functors are written: one expression over V, any vector or lane.
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
