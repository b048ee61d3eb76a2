// Reductions: against long double, and the promise that any legal split gives the bits of the whole.
#include <algorithm>

#include "check.h"

namespace nabla::test {
namespace {

template <class T>
const ReduceLeaf& leaf(Reduce op) {
  return kernels().reduce.leaf[static_cast<int>(op)][kType<T>];
}

template <class T>
std::vector<T> waves(int64_t n) {
  std::vector<T> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++)
    x[static_cast<size_t>(i)] = static_cast<T>(std::sin(static_cast<double>(i) * 1.7) + 0.3);
  return x;
}

template <class T>
T row_in_parts(const ReduceLeaf& leaf, const std::vector<T>& x, int64_t part) {
  const int64_t n = static_cast<int64_t>(x.size()), parts = (n + part - 1) / part;
  const int64_t size = kReduceLanes * leaf.partial_size;
  std::vector<char> partials(static_cast<size_t>(parts * size));
  for (int64_t p = parts - 1; p >= 0; p--)
    leaf.row(&partials[static_cast<size_t>(p * size)], &x[static_cast<size_t>(p * part)], std::min(part, n - p * part));
  leaf.tree(partials.data(), parts, kReduceLanes);
  T out;
  leaf.fold(partials.data(), partials.data());
  leaf.store(&out, partials.data(), 1, 1);
  return out;
}

template <class T>
void check_rows() {
  for (int64_t n : {int64_t{1}, int64_t{31}, int64_t{32}, int64_t{4096}, int64_t{4097}, int64_t{12289}, int64_t{100003},
                    int64_t{1000003}}) {
    const std::vector<T> x = waves<T>(n);
    long double exact = 0, size = 0;
    for (T v : x) {
      exact += v;
      size += std::fabs(v);
    }
    T sum;
    leaf<T>(Reduce::sum).rows(&sum, x.data(), 1, n, n);
    const double error = static_cast<double>(std::fabs(sum - exact) / size) / std::numeric_limits<T>::epsilon();
    check(error < 4, "sum of %d %s: %g eps", int(n), kDTypeNames[kType<T>], error);
    for (int64_t blocks : {1, 2, 4, 16, 64}) {
      check(same(row_in_parts(leaf<T>(Reduce::sum), x, blocks * kReduceBlock), sum), "sum of %d in parts of %d blocks",
            int(n), int(blocks));
      T high, want = *std::max_element(x.begin(), x.end());
      high = row_in_parts(leaf<T>(Reduce::amax), x, blocks * kReduceBlock);
      check(high == want, "amax of %d", int(n));
    }
  }
  T sum, product;
  leaf<T>(Reduce::sum).rows(&sum, nullptr, 1, 0, 0);
  leaf<T>(Reduce::prod).rows(&product, nullptr, 1, 0, 0);
  check(sum == 0 && product == 1, "empty rows");
}

template <class T>
void check_columns() {
  for (int64_t columns : {1, 3, 8, 33, 64, 65, 200})
    for (int64_t rows : {0, 1, 63, 64, 65, 1000}) {
      const int64_t stride = columns + 5;
      const std::vector<T> x = waves<T>(rows * stride + 1);
      std::vector<T> sum(static_cast<size_t>(columns));
      sum_columns(leaf<T>(Reduce::sum), sum.data(), x.data(), rows, stride, columns);
      for (int64_t c = 0; c < columns; c++) {
        long double exact = 0;
        for (int64_t r = 0; r < rows; r++) exact += x[static_cast<size_t>(r * stride + c)];
        const double bound = 64.0 * std::numeric_limits<T>::epsilon() * static_cast<double>(rows);
        check(std::fabs(static_cast<double>(sum[static_cast<size_t>(c)] - exact)) <= bound,
              "sum of column %d of %d rows", int(c), int(rows));
      }
      for (int64_t part : {64, 128, 512}) {
        const int64_t parts = std::max<int64_t>(1, (rows + part - 1) / part);
        const int64_t size = columns * leaf<T>(Reduce::sum).partial_size;
        std::vector<char> partials(static_cast<size_t>(parts * size));
        for (int64_t p = 0; p < parts; p++)
          leaf<T>(Reduce::sum)
              .columns(&partials[static_cast<size_t>(p * size)], x.data() + p * part * stride,
                       std::min(part, rows - p * part), stride, columns);
        leaf<T>(Reduce::sum).tree(partials.data(), parts, columns);
        std::vector<T> total(static_cast<size_t>(columns));
        leaf<T>(Reduce::sum).store(total.data(), partials.data(), columns, 1);
        check(total == sum, "%d x %d columns in parts of %d rows", int(rows), int(columns), int(part));
      }
      // A band of columns is the same as those of the whole.
      if (columns > 3) {
        std::vector<T> band(static_cast<size_t>(columns - 3));
        sum_columns(leaf<T>(Reduce::sum), band.data(), x.data() + 3, rows, stride, columns - 3);
        check(std::equal(band.begin(), band.end(), sum.begin() + 3), "a band of %d columns", int(columns));
      }
    }
}

// Roots of sums of squares, of rows and of columns, in parts of any size; of float32 whatever its squares are.
template <class T>
void check_norms(T unit) {
  const ReduceLeaf& norm = leaf<T>(Reduce::norm);
  const auto close = [](T got, long double exact, const char* what, int64_t n) {
    const double error = static_cast<double>(std::fabs(got - exact) / exact) / std::numeric_limits<T>::epsilon();
    check(error < 4, "norm of %s of %d %s: %g eps", what, int(n), kDTypeNames[kType<T>], error);
  };
  for (int64_t n : {1, 31, 32, 33, 4097, 100003}) {
    std::vector<T> x = waves<T>(n);
    long double squares = 0;
    for (T& v : x) {
      v *= unit;
      squares += static_cast<long double>(v) * v;
    }
    T length;
    norm.rows(&length, x.data(), 1, n, n);
    close(length, std::sqrt(squares), "a row", n);
    check(same(row_in_parts(norm, x, 2 * kReduceBlock), length), "norm of %d in parts", int(n));
    constexpr int64_t kWidth = 3;
    const int64_t rows = n / kWidth;
    std::vector<T> lengths(kWidth);
    std::vector<char> partials(static_cast<size_t>(kWidth * norm.partial_size));
    norm.columns(partials.data(), x.data(), rows, kWidth, kWidth);
    norm.store(lengths.data(), partials.data(), kWidth, 1);
    for (int64_t c = 0; c < kWidth && rows > 0; c++) {
      squares = 0;
      for (int64_t r = 0; r < rows; r++) {
        const long double v = x[static_cast<size_t>(r * kWidth + c)];
        squares += v * v;
      }
      close(lengths[static_cast<size_t>(c)], std::sqrt(squares), "a column", rows);
    }
  }
}

// The definition in reduce.h, written down once more.
template <class T>
void check_definition() {
  const int64_t n = 3 * kReduceBlock + 1000;
  const std::vector<T> x = waves<T>(n);
  using P = std::conditional_t<std::is_same_v<T, float>, double, T>;
  std::vector<std::vector<P>> blocks;
  for (int64_t i = 0; i < n; i++) {
    if (i % kReduceBlock == 0) blocks.emplace_back(kReduceLanes, P(0));
    blocks.back()[static_cast<size_t>(i % kReduceLanes)] += x[static_cast<size_t>(i)];
  }
  for (int64_t l = 0; l < kReduceLanes; l++) {
    const auto at = [&](int b) { return blocks[static_cast<size_t>(b)][static_cast<size_t>(l)]; };
    blocks[0][static_cast<size_t>(l)] = (at(0) + at(1)) + (at(2) + at(3));
  }
  for (int64_t width = kReduceLanes / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; l++) blocks[0][static_cast<size_t>(l)] += blocks[0][static_cast<size_t>(l + width)];
  T sum;
  leaf<T>(Reduce::sum).rows(&sum, x.data(), 1, n, n);
  check(same(sum, static_cast<T>(blocks[0][0])), "the order of summation");
}

template <class T>
void check_nan() {
  std::vector<T> x = waves<T>(9000);
  for (int64_t at : {0, 31, 4095, 4096, 8999}) {
    const T kept = x[static_cast<size_t>(at)];
    x[static_cast<size_t>(at)] = std::numeric_limits<T>::quiet_NaN();
    for (Reduce op : {Reduce::amax, Reduce::amin}) {
      T out;
      leaf<T>(op).rows(&out, x.data(), 1, 9000, 9000);
      check(out != out, "NaN at %d", int(at));
    }
    for (int op = 0; op < kArgReduceCount; op++) {
      int32_t index = -1;
      kernels().reduce.arg[op][kType<T>].rows(&index, x.data(), 1, 9000, 9000);
      check(index == at, "%s: NaN at %d, got %d", kArgReduce[op], int(at), int(index));
    }
    x[static_cast<size_t>(at)] = kept;
  }
}

template <class T>
void check_arg() {
  for (int64_t n : {1, 2, 31, 32, 33, 2048, 5000}) {
    std::vector<T> x;
    for (int64_t i = 0; i < n; i++) x.push_back(static_cast<T>(i * 37 % 101));
    const int64_t want[] = {std::max_element(x.begin(), x.end()) - x.begin(),
                            std::min_element(x.begin(), x.end()) - x.begin()};
    for (int op = 0; op < kArgReduceCount; op++) {
      const ArgReduceLeaf& leaf = kernels().reduce.arg[op][kType<T>];
      int32_t index;
      leaf.rows(&index, x.data(), 1, n, n);
      check(index == want[op], "%s of %d: %d, not %d", kArgReduce[op], int(n), int(index), int(want[op]));
      T value, later_value;
      int64_t at, later;
      const int64_t half = (n + 1) / 2;
      leaf.columns(&value, &at, x.data(), half, 1, 1, 0);
      if (n > half) {
        leaf.columns(&later_value, &later, x.data() + half, n - half, 1, 1, half);
        leaf.merge(&value, &at, &later_value, &later, 1);
      }
      check(at == want[op] && value == x[static_cast<size_t>(at)], "%s of %d in two parts", kArgReduce[op], int(n));
    }
  }
}

void check_bools() {
  for (int at : {-1, 0, 77}) {
    std::vector<uint8_t> some(100, 0), most(100, 1);
    if (at >= 0) some[static_cast<size_t>(at)] = 1, most[static_cast<size_t>(at)] = 0;
    uint8_t any, all;
    leaf<bool>(Reduce::any).rows(&any, some.data(), 1, 100, 100);
    leaf<bool>(Reduce::all).rows(&all, most.data(), 1, 100, 100);
    check(any == (at >= 0) && all == (at < 0), "any and all at %d", at);
  }
  uint8_t any, all;
  leaf<bool>(Reduce::any).rows(&any, nullptr, 1, 0, 0);
  leaf<bool>(Reduce::all).rows(&all, nullptr, 1, 0, 0);
  check(any == 0 && all == 1, "any and all of nothing");
}

void check_integers() {
  std::vector<int64_t> x;
  uint64_t sum = 0, product = 1;
  for (int64_t i = 0; i < 10000; i++) {
    x.push_back(i * 0x123456789abcd + 1);
    sum += static_cast<uint64_t>(x.back());
    product *= static_cast<uint64_t>(x.back());
  }
  int64_t got;
  leaf<int64_t>(Reduce::sum).rows(&got, x.data(), 1, 10000, 10000);
  check(static_cast<uint64_t>(got) == sum, "sum of int64 wraps");
  leaf<int64_t>(Reduce::prod).rows(&got, x.data(), 1, 10000, 10000);
  check(static_cast<uint64_t>(got) == product, "prod of int64 wraps");
}

}  // namespace

void test_reductions() {
  check_rows<float>();
  check_rows<double>();
  check_columns<float>();
  check_columns<double>();
  check_definition<float>();
  check_definition<double>();
  for (float unit : {1.0f, 0x1p100f, 0x1p-120f}) check_norms<float>(unit);
  check_norms<double>(1);
  check_nan<float>();
  check_nan<double>();
  check_arg<float>();
  check_arg<double>();
  check_arg<int32_t>();
  check_arg<int64_t>();
  check_arg<uint8_t>();
  check_bools();
  check_integers();
}

}  // namespace nabla::test
