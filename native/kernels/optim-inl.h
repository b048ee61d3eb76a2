// Included once per ISA: see optim.h. One pass over parameter, gradient and state.
#pragma once
#include "kernels/arithmetic-inl.h"
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

template <class T>
void sgd_step(void* parameter, const void* gradient, void* momentum_buffer, int64_t n, const SgdNumbers& s) {
  using V = Vec<T>;
  T* p = static_cast<T*>(parameter);
  const T* g = static_cast<const T*>(gradient);
  T* m = static_cast<T*>(momentum_buffer);
  const V lr = V::set1(static_cast<T>(s.lr)), decay = V::set1(static_cast<T>(s.weight_decay));
  const V momentum = V::set1(static_cast<T>(s.momentum)), damp = V::set1(static_cast<T>(1 - s.dampening));
  over_vectors<T>(n, [&](auto load, auto store) {
    V x = load(p);
    V d = fma(decay, x, load(g));
    if (m) {
      V moving = s.first ? d : fma(momentum, load(m), damp * d);
      store(m, moving);
      d = s.nesterov ? fma(momentum, moving, d) : moving;
    }
    store(p, fnma(lr, d, x));
  });
}

template <class T>
void adam_step(void* parameter, const void* gradient, void* first, void* second, int64_t n, const AdamNumbers& s) {
  using V = Vec<T>;
  T* p = static_cast<T*>(parameter);
  const T* g = static_cast<const T*>(gradient);
  T* m = static_cast<T*>(first);
  T* v = static_cast<T*>(second);
  // p -= lr/c1 * m / (sqrt(v/c2) + eps), written with one division: both halves times sqrt(c2).
  const double root = s.root_correction2;
  const V step = V::set1(static_cast<T>(s.lr * root / s.correction1)), eps = V::set1(static_cast<T>(s.eps * root));
  const V beta1 = V::set1(static_cast<T>(s.beta1)), rest1 = V::set1(static_cast<T>(1 - s.beta1));
  const V beta2 = V::set1(static_cast<T>(s.beta2)), rest2 = V::set1(static_cast<T>(1 - s.beta2));
  const V coupled = V::set1(static_cast<T>(s.decoupled ? 0 : s.weight_decay));
  const V shrink = V::set1(static_cast<T>(s.decoupled ? 1 - s.lr * s.weight_decay : 1));
  over_vectors<T>(n, [&](auto load, auto store) {
    V x = load(p);
    V d = fma(coupled, x, load(g));
    V mean = fma(beta1, load(m), rest1 * d);
    V variance = fma(beta2, load(v), rest2 * d * d);
    store(m, mean);
    store(v, variance);
    store(p, shrink * x - step * mean / (sqrt(variance) + eps));
  });
}

template <class T>
void rmsprop_step(void* parameter, const void* gradient, void* squares, void* momentum_buffer, void* mean, int64_t n,
                  const RmspropNumbers& s) {
  using V = Vec<T>;
  T* p = static_cast<T*>(parameter);
  const T* g = static_cast<const T*>(gradient);
  T* v = static_cast<T*>(squares);
  T* b = static_cast<T*>(momentum_buffer);
  T* m = static_cast<T*>(mean);
  const V lr = V::set1(static_cast<T>(s.lr)), decay = V::set1(static_cast<T>(s.weight_decay));
  const V alpha = V::set1(static_cast<T>(s.alpha)), rest = V::set1(static_cast<T>(1 - s.alpha));
  const V eps = V::set1(static_cast<T>(s.eps)), momentum = V::set1(static_cast<T>(s.momentum));
  over_vectors<T>(n, [&](auto load, auto store) {
    V x = load(p);
    V d = fma(decay, x, load(g));
    V square = fma(alpha, load(v), rest * d * d);
    store(v, square);
    if (m) {
      V average = fma(alpha, load(m), rest * d);
      store(m, average);
      square = fnma(average, average, square);
    }
    d = d / (sqrt(square) + eps);
    if (b) {
      d = fma(momentum, load(b), d);
      store(b, d);
    }
    store(p, fnma(lr, d, x));
  });
}

template <class T>
void adagrad_step(void* parameter, const void* gradient, void* sum, int64_t n, const AdagradNumbers& s) {
  using V = Vec<T>;
  T* p = static_cast<T*>(parameter);
  const T* g = static_cast<const T*>(gradient);
  T* v = static_cast<T*>(sum);
  const V lr = V::set1(static_cast<T>(s.lr)), decay = V::set1(static_cast<T>(s.weight_decay));
  const V eps = V::set1(static_cast<T>(s.eps)), start = V::set1(static_cast<T>(s.start));
  over_vectors<T>(n, [&](auto load, auto store) {
    V x = load(p);
    V d = fma(decay, x, load(g));
    V total = fma(d, d, s.first ? start : load(v));
    store(v, total);
    store(p, fnma(lr, d / (sqrt(total) + eps), x));
  });
}

template <class T>
void lion_step(void* parameter, const void* gradient, void* mean, int64_t n, const LionNumbers& s) {
  using V = Vec<T>;
  T* p = static_cast<T*>(parameter);
  const T* g = static_cast<const T*>(gradient);
  T* m = static_cast<T*>(mean);
  const V lr = V::set1(static_cast<T>(s.lr)), shrink = V::set1(static_cast<T>(1 - s.lr * s.weight_decay));
  const V beta1 = V::set1(static_cast<T>(s.beta1)), rest1 = V::set1(static_cast<T>(1 - s.beta1));
  const V beta2 = V::set1(static_cast<T>(s.beta2)), rest2 = V::set1(static_cast<T>(1 - s.beta2));
  over_vectors<T>(n, [&](auto load, auto store) {
    V d = load(g), average = load(m);
    V direction = sign(fma(beta1, average, rest1 * d));
    store(m, fma(beta2, average, rest2 * d));
    store(p, fnma(lr, direction, shrink * load(p)));
  });
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

constexpr OptimTable make_optim_table() {
  return {{sgd_step<float>, sgd_step<double>},         {adam_step<float>, adam_step<double>},
          {rmsprop_step<float>, rmsprop_step<double>}, {adagrad_step<float>, adagrad_step<double>},
          {lion_step<float>, lion_step<double>},       {weighted_sum<float>, weighted_sum<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
