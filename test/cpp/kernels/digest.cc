// The results of every kernel over fixed inputs, as one number each: every tier of every architecture has to give those
// that the file names.
#include <cinttypes>
#include <map>
#include <string>

#include "../workspace.h"
#include "exec/matmul/gemm.h"
#include "numbers.h"

namespace nabla::test {
namespace {

constexpr int64_t kCount = 1003;  // with a tail in every vector width

class Digest {
 public:
  template <class T>
  void add(const T* values, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
      T v = values[i];
      if constexpr (std::is_floating_point_v<T>) {
        if (v != v) v = std::numeric_limits<T>::infinity() * T(0.5), hash_ ^= 0x9e3779b97f4a7c15;  // all NaNs are alike
      }
      uint8_t bytes[sizeof v];
      std::memcpy(bytes, &v, sizeof v);
      for (uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001b3;
    }
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

using Digests = std::map<std::string, uint64_t>;

template <class T>
std::vector<Byte<T>> inputs(uint64_t salt) {
  Numbers numbers;
  for (uint64_t i = 0; i < salt; i++) numbers.next();
  std::vector<Byte<T>> v;
  for (int64_t i = 0; i < kCount; i++) v.push_back(numbers.value<T>(i));
  return v;
}

// Finite and of moderate size, as the inputs of sums.
template <class T>
std::vector<T> moderate(uint64_t salt, T scale = 4) {
  Numbers numbers;
  for (uint64_t i = 0; i < salt; i++) numbers.next();
  std::vector<T> v;
  for (int64_t i = 0; i < 12 * kCount; i++)
    v.push_back(static_cast<T>(static_cast<double>(numbers.next() >> 11) * 0x1p-52 - 1) * scale);
  return v;
}

template <class T>
std::string typed(const char* table, const char* name) {
  return std::string(table) + " " + name + " " + kDTypeNames[kType<T>];
}

template <class T>
void digest_elementwise(Digests& out) {
  std::vector<Byte<T>> in[4] = {inputs<T>(0), inputs<T>(1), inputs<T>(2), inputs<T>(3)};
  std::vector<uint8_t> condition = inputs<bool>(4);
  for (int op = 0; op < kElementwiseCount; op++) {
    const ElementwiseInfo& info = kElementwise[op];
    const ElementwiseFn leaf = kernels().elementwise.leaf[op][kType<T>];
    if (!leaf) continue;
    std::vector<Byte<T>> y(kCount);
    void* args[6] = {y.data()};
    for (int i = 0; i < info.arity; i++) args[1 + i] = in[i].data();
    if (op == index_of(Elementwise::where)) args[1] = condition.data();
    leaf(args, kCount, false);
    Digest d;
    if (info.result == Result::BOOL) {
      d.add(reinterpret_cast<const uint8_t*>(y.data()), kCount);
    } else {
      d.add(y.data(), kCount);
    }
    out[typed<T>("elementwise", info.name)] = d.value();
  }
}

template <class To, class From>
void digest_convert(Digests& out) {
  const std::vector<Byte<From>> x = inputs<From>(5);
  std::vector<Byte<To>> y(kCount);
  kernels().convert.gather[kType<To>][kType<From>](y.data(), x.data(), 1, kCount);
  Digest d;
  d.add(y.data(), kCount);
  out[typed<To>("convert", kDTypeNames[kType<From>])] = d.value();
}

template <class T>
void digest_reductions(Digests& out) {
  std::vector<T> x(12 * kCount);
  if constexpr (std::is_floating_point_v<T>) {
    x = moderate<T>(6, T(1.5));
  } else {
    Numbers numbers;
    for (size_t i = 0; i < x.size(); i++) x[i] = numbers.value<T>(static_cast<int64_t>(i));
  }
  constexpr int64_t kRows = 211, kColumns = 57;
  for (int op = 0; op < kReduceCount; op++) {
    const ReduceLeaf& leaf = kernels().reduce.leaf[op][kType<T>];
    if (!leaf.rows) continue;
    Digest d;
    std::vector<T> y(x.size());
    for (int64_t n : {int64_t{1}, int64_t{5}, int64_t{40}, int64_t{4097}, 12 * kCount}) {
      const int64_t rows = 12 * kCount / n;
      leaf.rows(y.data(), x.data(), rows, n, n);
      d.add(y.data(), rows);
    }
    sum_columns(leaf, y.data(), x.data(), kRows, kColumns, kColumns);
    d.add(y.data(), kColumns);
    out[typed<T>("reduce", kReduce[op].name)] = d.value();
  }
  for (int op = 0; op < kArgReduceCount; op++) {
    std::vector<int32_t> y(kRows);
    kernels().reduce.arg[op][kType<T>].rows(y.data(), x.data(), kRows, kColumns, kColumns);
    Digest d;
    d.add(y.data(), kRows);
    out[typed<T>("reduce", kArgReduce[op])] = d.value();
  }
}

template <class T>
uint64_t random_digest(RandomFn leaf) {
  std::vector<T> y(kCount);
  leaf(y.data(), (int64_t{1} << 40) + 17, kCount, {{0x12345678, 0x9abcdef0}, 0xfedcba9876543210});
  Digest d;
  d.add(y.data(), kCount);
  return d.value();
}

// Rows: softmax and its kin, norms. Each length ends in another tail.
template <class T, int TYPE>
void digest_rows(Digests& out) {
  const std::vector<T> x = moderate<T>(7), g = moderate<T>(8), w = moderate<T>(9);
  std::vector<T> y(kCount);
  const auto each = [&](const char* name, auto leaf) {
    Digest d;
    for (int64_t n : {int64_t{1}, int64_t{7}, int64_t{40}, kCount}) {
      std::fill(y.begin(), y.end(), T(0));
      leaf(n);
      d.add(y.data(), kCount);
    }
    out[typed<T>("rows", name)] = d.value();
  };
  const SoftmaxTable& s = kernels().softmax;
  each("softmax", [&](int64_t n) { s.softmax[TYPE](y.data(), x.data(), nullptr, n); });
  each("logSoftmax", [&](int64_t n) { s.log_softmax[TYPE](y.data(), x.data(), nullptr, n); });
  each("softmaxBackward", [&](int64_t n) { s.softmax_backward[TYPE](y.data(), g.data(), x.data(), false, n); });
  each("logSoftmaxBackward", [&](int64_t n) { s.log_softmax_backward[TYPE](y.data(), g.data(), x.data(), false, n); });
  // One element outweighs the others.
  std::vector<T> peaked = x;
  peaked[0] = 40;
  each("logSoftmaxPeaked", [&](int64_t n) { s.log_softmax[TYPE](y.data(), peaked.data(), nullptr, n); });
  each("rowWeight", [&](int64_t n) {
    s.row_weight[TYPE](y.data(), x.data(), -1, n);
    s.row_weight[TYPE](y.data() + 2, peaked.data(), 0, n);
    s.row_weight[TYPE](y.data() + 4, peaked.data(), -1, n);
  });
  each("crossEntropyBackward",
       [&](int64_t n) { s.cross_entropy_backward[TYPE](y.data(), x.data(), w.data(), n / 2, 0.37, false, n); });
  // Of rows near 0 and far from it, which are added up in double or not.
  std::vector<T> below = x;
  for (T& v : below) v -= 6;
  const LogSumExpLeaf& l = s.log_sum_exp[TYPE];
  each("logSumExp", [&](int64_t n) {
    l.rows(y.data(), x.data(), n < kCount ? 70 : 3, n);
    l.rows(y.data() + 70, below.data(), n < kCount ? 70 : 3, n);
    const int64_t columns = n < kCount ? 101 : 12;
    l.columns(y.data() + 140, x.data(), n, columns, columns);
    l.columns(y.data() + 241, below.data(), n, columns, columns);
  });
  each("logSumExpBackward",
       [&](int64_t n) { l.rows_backward(y.data(), g.data(), x.data(), false, kCount / n < 70 ? kCount / n : 70, n); });
  each("logSumExpBackwardColumns", [&](int64_t n) {
    const int64_t columns = kCount / n;
    l.columns_backward(y.data(), g.data(), x.data(), n, columns, columns);
  });
  const NormTable& norm = kernels().norm;
  for (bool centred : {false, true}) {
    each(centred ? "standardize" : "scale", [&](int64_t n) {
      norm.standardize[TYPE](y.data(), x.data(), w.data(), g.data(), 1e-5, centred, false, n < kCount ? 3 : 1, n);
    });
    each(centred ? "standardizeBackward" : "scaleBackward", [&](int64_t n) {
      norm.backward[TYPE](y.data(), g.data(), x.data(), 1e-5, centred, false, n < kCount ? 3 : 1, n);
    });
  }
}

template <class T, int TYPE>
void digest_optimizers(Digests& out) {
  const std::vector<T> g = moderate<T>(10);
  const auto each = [&](const char* name, auto step) {
    std::vector<T> p = moderate<T>(11), m = moderate<T>(12), v = moderate<T>(13), a = moderate<T>(14, T(0.01));
    for (T& square : v) square = square * square + 1;
    step(p.data(), m.data(), v.data(), a.data());
    Digest d;
    for (const std::vector<T>* state : {&p, &m, &v, &a}) d.add(state->data(), kCount);
    out[typed<T>("optimizer", name)] = d.value();
  };
  const OptimTable& t = kernels().optim;
  for (int k = 0; k < kOptimizerCount; k++) {
    const OptimizerInfo& info = kOptimizers[k];
    for (int buffers = info.least; buffers <= info.most; buffers++)
      for (double last : {0.0, 1.0}) {  // a switch, a number of its own or the count of steps before it
        double numbers[] = {0.0625, 0.5, 0.75, 0.125, 0.25, 3, 1};
        numbers[info.numbers - 1] = last;
        const std::string name = std::string(info.name) + " " + std::to_string(buffers) + (last == 0 ? " off" : " on");
        each(name.c_str(), [&](T* p, T* m, T* v, T* a) {
          void* const all[] = {v, m, a};
          void* state[kMostBuffers] = {};
          for (int b = 0; b < buffers; b++) state[b] = all[b];
          t.step[k][TYPE](p, g.data(), state, kCount, numbers);
        });
      }
  }
  each("weightedSum", [&](T* p, T* m, T* v, T*) {
    const void* sources[] = {m, v, g.data()};
    const double weights[] = {0.3, -1.7, 0.01};
    t.weighted_sum[TYPE](p, sources, weights, 3, kCount);
  });
}

template <class T>
void digest_gemm(Digests& out) {
  std::vector<T> a(1 << 16), b(1 << 16);
  if constexpr (std::is_floating_point_v<T>) {
    const std::vector<T> x = moderate<T>(15), y = moderate<T>(16);
    for (size_t i = 0; i < a.size(); i++) a[i] = x[i % x.size()], b[i] = y[i % y.size()];
  } else {
    Numbers numbers;
    for (size_t i = 0; i < a.size(); i++) a[i] = static_cast<T>(numbers.next()), b[i] = static_cast<T>(numbers.next());
  }
  Digest d;
  const int64_t shapes[][3] = {{1, 61, 700}, {2, 61, 700}, {61, 1, 700}, {1, 1, 5000}, {29, 75, 600}, {100, 90, 300}};
  for (const auto& [m, n, k] : shapes) {
    std::vector<T> c(static_cast<size_t>(m * n));
    gemm(workspace(), DTypeOf<T>::value, m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, c.data(), n, {a.data()});
    d.add(c.data(), m * n);
    gemm(workspace(), DTypeOf<T>::value, m, n, k, {a.data(), 1, m}, {b.data(), 1, k}, c.data(), n,
         {nullptr, c.data(), n});
    d.add(c.data(), m * n);
  }
  out[std::string("gemm ") + kDTypeNames[kType<T>]] = d.value();
}

Digests digests() {
  Digests out;
#define FROM(id, name, type)           \
  digest_convert<float, type>(out);    \
  digest_convert<double, type>(out);   \
  digest_convert<int32_t, type>(out);  \
  digest_convert<int64_t, type>(out);  \
  digest_convert<uint8_t, type>(out);  \
  digest_convert<bool, type>(out);     \
  digest_convert<BFloat16, type>(out); \
  digest_convert<Float16, type>(out);
  NABLA_DTYPES(FROM)
#undef FROM
#define OVER(id, name, type)     \
  digest_elementwise<type>(out); \
  if constexpr (!std::is_same_v<type, bool>) digest_reductions<type>(out);
  NABLA_COMPUTED_DTYPES(OVER)
#undef OVER
  const RandomTable& random = kernels().random;
  out["random uniform float32"] = random_digest<float>(random.uniform[0]);
  out["random uniform float64"] = random_digest<double>(random.uniform[1]);
  out["random normal float32"] = random_digest<float>(random.normal[0]);
  out["random normal float64"] = random_digest<double>(random.normal[1]);
  out["random bits"] = random_digest<uint32_t>(random.bits);
  digest_rows<float, 0>(out);
  digest_rows<double, 1>(out);
  digest_optimizers<float, 0>(out);
  digest_optimizers<double, 1>(out);
  digest_gemm<float>(out);
  digest_gemm<double>(out);
  digest_gemm<int32_t>(out);
  digest_gemm<int64_t>(out);
  return out;
}

Digests read(const char* path) {
  Digests out;
  std::FILE* file = std::fopen(path, "r");
  check(file != nullptr, "%s cannot be read", path);
  if (!file) return out;
  char line[256];
  while (std::fgets(line, sizeof line, file)) {
    char* const end = std::strrchr(line, ' ');
    uint64_t value = 0;
    if (end && std::sscanf(end, "%" SCNx64, &value) == 1) out[std::string(line, end)] = value;
  }
  std::fclose(file);
  return out;
}

}  // namespace

void test_digest(const char* path, bool write) {
  if (write) {
    std::FILE* file = std::fopen(path, "w");
    check(file != nullptr, "%s cannot be written", path);
    if (!file) return;
    for (const auto& [name, value] : digests()) std::fprintf(file, "%s %016" PRIx64 "\n", name.c_str(), value);
    std::fclose(file);
  }
  const Digests expected = read(path);
  const KernelTable* tiers[8];
  const int count = available_isas(tiers, 8);
  for (int i = 0; i < count; i++) {
    force_isa(tiers[i]->isa);
    const Digests got = digests();
    std::printf("%s: %d digests\n", kernels().isa, int(got.size()));
    check(got.size() == expected.size(), "%d digests, %d in %s", int(got.size()), int(expected.size()), path);
    for (const auto& [name, value] : got) {
      const auto found = expected.find(name);
      check(found != expected.end() && found->second == value, "%s on %s: %016" PRIx64 " is not in %s", name.c_str(),
            kernels().isa, value, path);
    }
  }
}

}  // namespace nabla::test
