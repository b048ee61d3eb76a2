// Makes kernels from functors: for each line of list.def, one loop per dtype.
#pragma once
#include "kernels/activation-inl.h"
#include "kernels/arithmetic-inl.h"
#include "kernels/list.h"

namespace nabla::NABLA_ISA {
namespace {

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using Type = Indices<I...>;
};

// The last of the inputs.
template <class V>
NABLA_INLINE V last_of(V x) {
  return x;
}
template <class V, class... Rest>
NABLA_INLINE V last_of(V, Rest... rest) {
  return last_of(rest...);
}

// Several vectors at a time, to hide latency.
template <class F, class T, int... I>
NABLA_INLINE void map_vectors(void* const* args, int64_t n, bool streaming, Indices<I...>) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes, kBlock = 4;
  T* const out = static_cast<T*>(args[0]);
  const T* const in[] = {static_cast<const T*>(args[1 + I])...};
  const auto at = [&](int64_t i, auto f) { return f(V::load(in[I] + i)...); };
  const auto put = [&](int64_t i, V y) { streaming ? V::stream(out + i, y) : V::store(out + i, y); };
  constexpr int64_t kDistance = kWritePrefetch / static_cast<int64_t>(sizeof(T));
  const int64_t prefetched = streaming || kDistance == 0 ? 0 : n - kDistance;
  int64_t i = 0;
  for (; i + kBlock * kLanes <= n; i += kBlock * kLanes) {
    if (i < prefetched) {
#pragma GCC unroll 4
      for (int k = 0; k < kBlock; k++) __builtin_prefetch(out + i + k * kLanes + kDistance, 1);
    }
    V y[kBlock];
    if constexpr (requires { F::kHasInside; }) {
      const auto is_inside = [](auto... x) { return F::is_inside(last_of(x...)); };
      auto inside = at(i, is_inside);
#pragma GCC unroll 4
      for (int k = 1; k < kBlock; k++) inside = inside & at(i + k * kLanes, is_inside);
      if (__builtin_expect(!all(inside), 0)) {
#pragma GCC unroll 1
        for (int k = 0; k < kBlock; k++) put(i + k * kLanes, at(i + k * kLanes, F{}));
        continue;
      }
#pragma GCC unroll 4
      for (int k = 0; k < kBlock; k++)
        y[k] = at(i + k * kLanes, [](auto... x) { return F{}.template operator()<true>(x...); });
    } else {
#pragma GCC unroll 4
      for (int k = 0; k < kBlock; k++) y[k] = at(i + k * kLanes, F{});
    }
#pragma GCC unroll 4
    for (int k = 0; k < kBlock; k++) put(i + k * kLanes, y[k]);
  }
  for (; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? static_cast<int>(n - i) : kLanes;
    V::store_n(out + i, F{}(V::load_n(in[I] + i, rest)...), rest);
  }
}

inline bool value_of(bool x) { return x; }
template <class T>
inline T value_of(Lane<T> x) {
  return x.v;
}

// One element at a time, in loops that the compiler can vectorize.
template <class F, class T, class Out, int... I>
NABLA_INLINE void map_lanes(void* const* args, int64_t n, Indices<I...>) {
  Out* const out = static_cast<Out*>(args[0]);
  const T* const in[] = {static_cast<const T*>(args[1 + I])...};
  NABLA_INDEPENDENT
  for (int64_t i = 0; i < n; i++) out[i] = value_of(F{}(Lane<T>(in[I][i])...));
}

template <class F, int ARITY, Result RESULT, class T>
NABLA_INTERLEAVED void map_leaf(void* const* args, int64_t n, bool streaming) {
  constexpr typename MakeIndices<ARITY>::Type kInputs{};
  static_cast<void>(streaming);
  if constexpr (RESULT == Result::BOOL) {
    map_lanes<F, T, bool>(args, n, kInputs);
  } else if constexpr (kIsFloat<T>) {
    map_vectors<F, T>(args, n, streaming, kInputs);
  } else {
    map_lanes<F, T, T>(args, n, kInputs);
  }
}

// Compilers widen bytes to masks badly, so elements as wide as the vector's lanes are moved as integers.
template <class T, int BYTES>
struct WideInteger {
  using Type = T;
};
template <class T>
struct WideInteger<T, 4> {
  using Type = int32_t;
};
template <class T>
struct WideInteger<T, 8> {
  using Type = int64_t;
};

template <class T>
void where_leaf(void* const* args, int64_t n, bool) {
  T* const out = static_cast<T*>(args[0]);
  const bool* const condition = static_cast<const bool*>(args[1]);
  const T *const x = static_cast<const T*>(args[2]), *const y = static_cast<const T*>(args[3]);
  int64_t i = 0;
  if constexpr (sizeof(T) > 1) {
    using Int = typename WideInteger<T, sizeof(T)>::Type;
    using V = Vec<Int>;
    const auto at = [](const T* p) { return reinterpret_cast<const Int*>(p); };
    for (; i + V::kLanes <= n; i += V::kLanes) {
      const V a = V::load(at(x + i)), b = V::load(at(y + i));
      V::store(reinterpret_cast<Int*>(out + i), select(mask_of_bool(condition + i, a), a, b));
    }
  }
  NABLA_INDEPENDENT
  for (int64_t j = i; j < n; j++) {
    const T a = x[j], b = y[j];
    out[j] = condition[j] ? a : b;
  }
}

struct Where {};

template <class T>
void move_leaf(void* const* args, int64_t n, bool) {
  T* const out = static_cast<T*>(args[0]);
  const T* const in = static_cast<const T*>(args[1]);
  // GCC does not vectorize a loop that copies structs.
  NABLA_INDEPENDENT
  for (int64_t i = 0; i < n; i++) out[i].bits = in[i].bits;
}

template <class F, int ARITY, Domain DOMAIN, Result RESULT, class T>
constexpr ElementwiseFn elementwise_leaf() {
  if constexpr (is_half(DTypeOf<T>::value)) {
    if constexpr (__is_same(F, Identity)) return move_leaf<T>;
    return nullptr;
  } else if constexpr (!in_domain(DOMAIN, DTypeOf<T>::value)) {
    return nullptr;
  } else if constexpr (__is_same(F, Where)) {
    return where_leaf<T>;
  } else {
    return map_leaf<F, ARITY, RESULT, T>;
  }
}

struct ElementwiseLeaves {
  ElementwiseFn leaf[kElementwiseCount][kDTypeCount];
};
constexpr ElementwiseLeaves make_elementwise_leaves() {
  ElementwiseLeaves leaves{};
#define LEAF(id, dtype_name, type) \
  leaf[static_cast<int>(DType::id)] = elementwise_leaf<F, kArity, kDomain, kResult, type>();
#define ELEMENTWISE(name, Functor, arity, domain, result)                   \
  {                                                                         \
    using F = Functor;                                                      \
    constexpr int kArity = arity;                                           \
    constexpr Domain kDomain = Domain::domain;                              \
    constexpr Result kResult = Result::result;                              \
    ElementwiseFn* leaf = leaves.leaf[static_cast<int>(Elementwise::name)]; \
    NABLA_DTYPES(LEAF)                                                      \
  }
#include "kernels/list.def"
#undef LEAF
  return leaves;
}
constexpr ElementwiseLeaves kElementwiseLeaves = make_elementwise_leaves();
constexpr ElementwiseTable make_elementwise_table() { return {kElementwiseLeaves.leaf}; }

}  // namespace
}  // namespace nabla::NABLA_ISA
