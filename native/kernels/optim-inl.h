// Included once per ISA: see optim.h. One pass over parameter, gradient and state.
#pragma once
#include <cmath>

#include "kernels/arithmetic-inl.h"
#include "kernels/list.h"
#include "kernels/optim.h"

namespace nabla::NABLA_ISA {
namespace {

// f(loads, stores) over whole vectors, then over the rest one vector of fewer lanes.
template <class T, class F>
void over_vectors(int64_t n, F&& f) {
  constexpr int kLanes = Vec<T>::kLanes;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    f([i](const T* p) { return Vec<T>::load(p + i); }, [i](T* p, Vec<T> v) { Vec<T>::store(p + i, v); });
  const int rest = static_cast<int>(n - i);
  if (rest > 0)
    f([i, rest](const T* p) { return Vec<T>::load_n(p + i, rest); },
      [i, rest](T* p, Vec<T> v) { Vec<T>::store_n(p + i, v, rest); });
}

// A step is a functor for each line of list.def: made of the call's numbers, it updates what `load` and `store` reach
// of the parameter p and its state, given the gradient g.

template <class T>
struct Sgd {
  using V = Vec<T>;
  const V lr, momentum, damp, decay;
  const bool nesterov, first;  // first: the momentum buffer takes the gradient as it is
  explicit Sgd(const double* a)
      : lr(V::set1(static_cast<T>(a[0]))),
        momentum(V::set1(static_cast<T>(a[1]))),
        damp(V::set1(static_cast<T>(1 - a[2]))),
        decay(V::set1(static_cast<T>(a[3]))),
        nesterov(a[4] != 0),
        first(a[5] != 0) {}
  template <class Load, class Store>
  void operator()(T* p, const T* g, T* const* state, Load load, Store store) const {
    T* const m = state[0];
    const V x = load(p);
    V d = fma(decay, x, load(g));
    if (m) {
      const V moving = first ? d : fma(momentum, load(m), damp * d);
      store(m, moving);
      d = nesterov ? fma(momentum, moving, d) : moving;
    }
    store(p, fnma(lr, d, x));
  }
};

// By repeated squaring, without libm, so that the bits are the same everywhere.
inline double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

// Adam, and AdamW if a[6], where the decay acts on the parameter, not on the gradient.
template <class T>
struct Adam {
  using V = Vec<T>;
  V step, beta1, rest1, beta2, rest2, eps, coupled, shrink;
  explicit Adam(const double* a) {
    const double lr = a[0], decay = a[4];
    const bool decoupled = a[6] != 0;
    const auto n = a[5] >= 1 && a[5] < 9e15 ? static_cast<int64_t>(a[5]) : 1;
    const double correction1 = 1 - power(a[1], n), root = std::sqrt(1 - power(a[2], n));
    // p -= lr/c1 * m / (sqrt(v/c2) + eps), written with one division: both halves times sqrt(c2).
    step = V::set1(static_cast<T>(lr * root / correction1));
    eps = V::set1(static_cast<T>(a[3] * root));
    beta1 = V::set1(static_cast<T>(a[1]));
    rest1 = V::set1(static_cast<T>(1 - a[1]));
    beta2 = V::set1(static_cast<T>(a[2]));
    rest2 = V::set1(static_cast<T>(1 - a[2]));
    coupled = V::set1(static_cast<T>(decoupled ? 0 : decay));
    shrink = V::set1(static_cast<T>(decoupled ? 1 - lr * decay : 1));
  }
  template <class Load, class Store>
  void operator()(T* p, const T* g, T* const* state, Load load, Store store) const {
    T* const m = state[0];
    T* const v = state[1];
    const V x = load(p);
    const V d = fma(coupled, x, load(g));
    const V mean = fma(beta1, load(m), rest1 * d);
    const V variance = fma(beta2, load(v), rest2 * d * d);
    store(m, mean);
    store(v, variance);
    store(p, shrink * x - step * mean / (sqrt(variance) + eps));
  }
};

// state: mean squares, then the momentum, then the mean gradient; without momentum or not centered, null.
template <class T>
struct RMSprop {
  using V = Vec<T>;
  const V lr, alpha, rest, eps, decay, momentum;
  explicit RMSprop(const double* a)
      : lr(V::set1(static_cast<T>(a[0]))),
        alpha(V::set1(static_cast<T>(a[1]))),
        rest(V::set1(static_cast<T>(1 - a[1]))),
        eps(V::set1(static_cast<T>(a[2]))),
        decay(V::set1(static_cast<T>(a[3]))),
        momentum(V::set1(static_cast<T>(a[4]))) {}
  template <class Load, class Store>
  void operator()(T* p, const T* g, T* const* state, Load load, Store store) const {
    T* const v = state[0];
    T* const b = state[1];
    T* const m = state[2];
    const V x = load(p);
    V d = fma(decay, x, load(g));
    V square = fma(alpha, load(v), rest * d * d);
    store(v, square);
    if (m) {
      const V average = fma(alpha, load(m), rest * d);
      store(m, average);
      square = fnma(average, average, square);
    }
    d = d / (sqrt(square) + eps);
    if (b) {
      d = fma(momentum, load(b), d);
      store(b, d);
    }
    store(p, fnma(lr, d, x));
  }
};

template <class T>
struct Adagrad {
  using V = Vec<T>;
  const V lr, decay, eps, start;
  const bool first;  // the sum of squares begins at `start`
  explicit Adagrad(const double* a)
      : lr(V::set1(static_cast<T>(a[0]))),
        decay(V::set1(static_cast<T>(a[1]))),
        eps(V::set1(static_cast<T>(a[2]))),
        start(V::set1(static_cast<T>(a[3]))),
        first(a[4] != 0) {}
  template <class Load, class Store>
  void operator()(T* p, const T* g, T* const* state, Load load, Store store) const {
    T* const v = state[0];
    const V x = load(p);
    const V d = fma(decay, x, load(g));
    const V total = fma(d, d, first ? start : load(v));
    store(v, total);
    store(p, fnma(lr, d / (sqrt(total) + eps), x));
  }
};

template <class T>
struct Lion {
  using V = Vec<T>;
  const V lr, shrink, beta1, rest1, beta2, rest2;
  explicit Lion(const double* a)
      : lr(V::set1(static_cast<T>(a[0]))),
        shrink(V::set1(static_cast<T>(1 - a[0] * a[3]))),
        beta1(V::set1(static_cast<T>(a[1]))),
        rest1(V::set1(static_cast<T>(1 - a[1]))),
        beta2(V::set1(static_cast<T>(a[2]))),
        rest2(V::set1(static_cast<T>(1 - a[2]))) {}
  template <class Load, class Store>
  void operator()(T* p, const T* g, T* const* state, Load load, Store store) const {
    T* const m = state[0];
    const V d = load(g), average = load(m);
    const V direction = sign(fma(beta1, average, rest1 * d));
    store(m, fma(beta2, average, rest2 * d));
    store(p, fnma(lr, direction, shrink * load(p)));
  }
};

template <template <class> class Step, class T>
void optimizer_step(void* parameter, const void* gradient, void* const* state, int64_t n, const double* numbers) {
  const Step<T> step(numbers);
  T* const p = static_cast<T*>(parameter);
  const T* const g = static_cast<const T*>(gradient);
  T* const buffers[kMostBuffers] = {static_cast<T*>(state[0]), static_cast<T*>(state[1]), static_cast<T*>(state[2])};
  over_vectors<T>(n, [&](auto load, auto store) { step(p, g, buffers, load, store); });
}

template <class T>
void weighted_sum(void* out, const void* const* sources, const double* weights, int64_t count, int64_t n) {
  using V = Vec<T>;
  T* y = static_cast<T*>(out);
  over_vectors<T>(n, [&](auto load, auto store) {
    V sum = V::set1(0);
    for (int64_t s = 0; s < count; s++)
      sum = fma(V::set1(static_cast<T>(weights[s])), load(static_cast<const T*>(sources[s])), sum);
    store(y, sum);
  });
}

constexpr StepFn kSteps[][2] = {
#define OPTIMIZER(name, Functor, ...) {optimizer_step<Functor, float>, optimizer_step<Functor, double>},
#include "kernels/list.def"
};
constexpr OptimTable make_optim_table() { return {kSteps, {weighted_sum<float>, weighted_sum<double>}}; }

}  // namespace
}  // namespace nabla::NABLA_ISA
