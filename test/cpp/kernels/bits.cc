// Every tier that this machine can run gives the bits of the scalar one, for every leaf there is.
#include <algorithm>

#include "check.h"
#include "numbers.h"

namespace nabla::test {
namespace {

template <class T>
bool same_array(const void* a, const void* b, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!same(static_cast<const T*>(a)[i], static_cast<const T*>(b)[i])) return false;
  return true;
}

constexpr int64_t kCount = 20011;  // with a tail in every vector width

template <class T>
void compare_elementwise(const KernelTable& tier, const KernelTable& scalar) {
  Numbers numbers;
  std::vector<Byte<T>> in[4];
  for (auto& v : in)
    for (int64_t i = 0; i < kCount; i++) v.push_back(numbers.value<T>(i));
  std::vector<uint8_t> condition;
  for (int64_t i = 0; i < kCount; i++) condition.push_back(numbers.next() & 1);
  const size_t bytes = kCount * sizeof(T) + 16;  // 16 for a guard
  std::vector<uint8_t> out(bytes), want(bytes);
  for (int op = 0; op < kElementwiseCount; op++) {
    const ElementwiseInfo& info = kElementwise[op];
    const ElementwiseFn fast = tier.elementwise.leaf[op][kType<T>], slow = scalar.elementwise.leaf[op][kType<T>];
    check((fast != nullptr) == in_domain(info.domain, DTypeOf<T>::value) && !fast == !slow, "%s %s: present or not",
          info.name, kDTypeNames[kType<T>]);
    if (!fast || !slow) continue;
    void* args[6] = {out.data()};
    for (int i = 0; i < info.arity; i++) args[1 + i] = in[i].data();
    if (op == index_of(Elementwise::where)) args[1] = condition.data();
    for (int64_t n : {kCount, int64_t{0}, int64_t{1}, int64_t{3}, int64_t{7}, int64_t{9}}) {
      std::fill(out.begin(), out.end(), uint8_t{0xa5});
      std::fill(want.begin(), want.end(), uint8_t{0xa5});
      args[0] = out.data();
      fast(args, n, false);
      args[0] = want.data();
      slow(args, n, false);
      const size_t written = static_cast<size_t>(n) * (info.result == Result::BOOL ? 1 : sizeof(T));
      const bool equal = info.result == Result::BOOL ? same_array<uint8_t>(out.data(), want.data(), n)
                                                     : same_array<T>(out.data(), want.data(), n);
      check(equal, "%s %s: the tiers differ at n = %d", info.name, kDTypeNames[kType<T>], int(n));
      bool guarded = true;
      for (size_t i = written; i < bytes; i++) guarded &= out[i] == 0xa5;
      check(guarded, "%s %s writes past its end at n = %d", info.name, kDTypeNames[kType<T>], int(n));
    }
  }
}

template <class T>
void compare_reductions(const KernelTable& tier, const KernelTable& scalar) {
  Numbers numbers;
  std::vector<T> x;
  for (int64_t i = 0; i < kCount; i++) {
    T v = numbers.value<T>(i);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(v) || std::fabs(v) > T(1e6)) v = T(i);
    }
    x.push_back(v);
  }
  constexpr int64_t kRows = 211, kColumns = 94;
  for (int op = 0; op < kReduceCount; op++) {
    const ReduceLeaf &fast = tier.reduce.leaf[op][kType<T>], &slow = scalar.reduce.leaf[op][kType<T>];
    check(!fast.rows == !slow.rows, "%s: present or not", kReduce[op].name);
    if (!fast.rows || !slow.rows) continue;
    std::vector<T> a(kCount), b(kCount);
    for (int64_t n : {int64_t{1}, int64_t{5}, int64_t{40}, int64_t{4096}, int64_t{4097}, kCount}) {
      fast.rows(a.data(), x.data(), kCount / n, n, n);
      slow.rows(b.data(), x.data(), kCount / n, n, n);
      check(same_array<T>(a.data(), b.data(), kCount / n), "%s %s: rows of %d differ", kReduce[op].name,
            kDTypeNames[kType<T>], int(n));
    }
    sum_columns(fast, a.data(), x.data(), kRows, kColumns, kColumns);
    sum_columns(slow, b.data(), x.data(), kRows, kColumns, kColumns);
    check(same_array<T>(a.data(), b.data(), kColumns), "%s %s: columns differ", kReduce[op].name,
          kDTypeNames[kType<T>]);
  }
  for (int op = 0; op < kArgReduceCount; op++) {
    const ArgReduceLeaf &fast = tier.reduce.arg[op][kType<T>], &slow = scalar.reduce.arg[op][kType<T>];
    std::vector<int32_t> a(kRows), b(kRows);
    fast.rows(a.data(), x.data(), kRows, kColumns, kColumns);
    slow.rows(b.data(), x.data(), kRows, kColumns, kColumns);
    check(a == b, "%s %s: rows differ", kArgReduce[op], kDTypeNames[kType<T>]);
    std::vector<T> value_a(kColumns), value_b(kColumns);
    std::vector<int64_t> at_a(kColumns), at_b(kColumns);
    fast.columns(value_a.data(), at_a.data(), x.data(), kRows, kColumns, kColumns, 5);
    slow.columns(value_b.data(), at_b.data(), x.data(), kRows, kColumns, kColumns, 5);
    check(at_a == at_b, "%s %s: columns differ", kArgReduce[op], kDTypeNames[kType<T>]);
  }
}

template <class T>
void compare_random(const char* name, RandomFn fast, RandomFn slow) {
  const RandomStream stream{{0x12345678, 0x9abcdef0}, 0xfedcba9876543210};
  std::vector<T> a(5000), b(5000);
  for (int64_t start : {int64_t{0}, int64_t{3}, (int64_t{1} << 40) + 17}) {
    fast(a.data(), start, 5000, stream);
    slow(b.data(), start, 5000, stream);
    check(same_array<T>(a.data(), b.data(), 5000), "random %s: the tiers differ", name);
  }
}

}  // namespace

void test_bits() {
  const KernelTable* tables[8];
  const int count = available_isas(tables, 8);
  const KernelTable& scalar = *tables[count - 1];
  check(!std::strcmp(scalar.isa, "scalar"), "the last tier is %s", scalar.isa);
  check(force_isa("none of these") == nullptr, "an unknown tier is refused");
  for (int i = 0; i < count - 1; i++) {
    const KernelTable& tier = *tables[i];
    std::printf("%s against scalar: %d elementwise operations, %d reductions\n", tier.isa, kElementwiseCount,
                kReduceCount + kArgReduceCount);
#define X(id, name, type)                  \
  compare_elementwise<type>(tier, scalar); \
  if constexpr (!std::is_same_v<type, bool>) compare_reductions<type>(tier, scalar);
    NABLA_COMPUTED_DTYPES(X)
#undef X
    compare_random<float>("uniform float32", tier.random.uniform[0], scalar.random.uniform[0]);
    compare_random<double>("uniform float64", tier.random.uniform[1], scalar.random.uniform[1]);
    compare_random<float>("normal float32", tier.random.normal[0], scalar.random.normal[0]);
    compare_random<double>("normal float64", tier.random.normal[1], scalar.random.normal[1]);
    compare_random<uint32_t>("bits", tier.random.bits, scalar.random.bits);
  }
}

}  // namespace nabla::test
