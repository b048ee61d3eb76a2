// Random numbers: the published vectors of Philox, any split alike, moments and correlations.
#include <algorithm>

#include "check.h"

namespace nabla::test {
namespace {

// What the authors publish, of the counter 0 in the stream 0: words 16 elements apart.
void check_published() {
  uint32_t words[64];
  kernels().random.bits(words, 0, 64, {{0, 0}, 0});
  const uint32_t want[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int i = 0; i < 4; i++) check(words[16 * i] == want[i], "Philox, word %d: %08x", i, words[16 * i]);
}

// The generator as its paper writes it, one counter at a time.
void check_definition() {
  const RandomStream stream{{0xa4093822, 0x299f31d0}, 0x0370734413198a2e};
  std::vector<uint32_t> words(640);
  kernels().random.bits(words.data(), 640, 640, stream);
  for (uint64_t counter = 160; counter < 320; counter++) {
    uint32_t c[] = {uint32_t(counter), uint32_t(counter >> 32), uint32_t(stream.stream), uint32_t(stream.stream >> 32)};
    for (uint32_t round = 0; round < 10; round++) {
      const uint64_t p = uint64_t{0xd2511f53} * c[0], q = uint64_t{0xcd9e8d57} * c[2];
      const uint32_t next[] = {uint32_t(q >> 32) ^ c[1] ^ (stream.key[0] + round * 0x9e3779b9), uint32_t(q),
                               uint32_t(p >> 32) ^ c[3] ^ (stream.key[1] + round * 0xbb67ae85), uint32_t(p)};
      std::copy(next, next + 4, c);
    }
    for (uint64_t w = 0; w < 4; w++) {
      const uint64_t element = counter / 16 * 64 + w * 16 + counter % 16;
      check(words[element - 640] == c[w], "Philox, counter %d, word %d", int(counter), int(w));
    }
  }
}

template <class T>
void check_splits(const char* name, RandomFn fill) {
  const RandomStream stream{{7, 11}, 13};
  std::vector<T> whole(1000);
  fill(whole.data(), 0, 1000, stream);
  for (int64_t start : {1, 5, 63, 64, 65, 500})
    for (int64_t n : {1, 2, 31, 64, 129, 400}) {
      std::vector<T> part(static_cast<size_t>(n) + 1, T(99));
      fill(part.data(), start, n, stream);
      bool equal = part.back() == T(99);
      for (int64_t i = 0; i < n; i++) equal &= part[static_cast<size_t>(i)] == whole[static_cast<size_t>(start + i)];
      check(equal, "%s: [%d, %d + %d)", name, int(start), int(start), int(n));
    }
  std::vector<T> other(1000);
  fill(other.data(), 0, 1000, {{7, 11}, 14});
  check(other != whole, "%s: streams differ", name);
  fill(other.data(), 0, 1000, {{7, 12}, 13});
  check(other != whole, "%s: keys differ", name);
}

// The first moments, and the correlation of neighbors, within five standard deviations.
template <class T>
void check_moments(const char* name, RandomFn fill, double mean, double variance, double fourth) {
  constexpr int64_t n = 1 << 20;
  std::vector<T> x(n);
  fill(x.data(), 12345, n, {{1, 2}, 3});
  double sum = 0, square = 0, fourth_sum = 0, neighbours = 0;
  for (int64_t i = 0; i < n; i++) {
    const double d = static_cast<double>(x[static_cast<size_t>(i)]) - mean;
    sum += d;
    square += d * d;
    fourth_sum += d * d * d * d;
    if (i) neighbours += d * (static_cast<double>(x[static_cast<size_t>(i - 1)]) - mean);
  }
  const double root = std::sqrt(static_cast<double>(n));
  check(std::fabs(sum / n) < 5 * std::sqrt(variance) / root, "%s: mean %g", name, sum / n);
  check(std::fabs(square / n - variance) < 5 * std::sqrt(fourth - variance * variance) / root, "%s: variance %g", name,
        square / n);
  check(std::fabs(fourth_sum / n - fourth) < 0.02 * fourth, "%s: fourth moment %g", name, fourth_sum / n);
  check(std::fabs(neighbours / n) < 5 * variance / root, "%s: correlation %g", name, neighbours / n);
}

template <class T>
void check_uniform_range(RandomFn fill) {
  std::vector<T> x(1 << 18);
  fill(x.data(), 0, 1 << 18, {{5, 6}, 7});
  bool inside = true;
  int bins[64] = {};
  for (T v : x) {
    inside &= v >= 0 && v < 1;
    bins[static_cast<int>(v * 64)]++;
  }
  check(inside, "uniform numbers lie in [0, 1)");
  double chi = 0;
  for (int count : bins) chi += (count - 4096.0) * (count - 4096.0) / 4096;
  check(chi < 63 + 5 * std::sqrt(126.0), "uniform: chi-square %g of 63", chi);
}

template <class T>
void check_integers(RandomIntegerFn fill) {
  std::vector<T> x(10000), y(100);
  fill(x.data(), 0, 10000, {{5, 6}, 7}, -3, 7);
  int seen[7] = {};
  bool inside = true;
  for (T v : x) {
    inside &= v >= -3 && v <= 3;
    if (v >= -3 && v <= 3) seen[v + 3]++;
  }
  check(inside, "integers lie in their range");
  for (int count : seen) check(std::abs(count - 1428) < 5 * 35, "integers: %d of 10000", count);
  fill(y.data(), 777, 100, {{5, 6}, 7}, -3, 7);
  check(std::equal(y.begin(), y.end(), x.begin() + 777), "integers: any split");
}

}  // namespace

void test_random() {
  const RandomTable& r = kernels().random;
  check_published();
  check_definition();
  check_splits<float>("uniform float32", r.uniform[0]);
  check_splits<double>("uniform float64", r.uniform[1]);
  check_splits<float>("normal float32", r.normal[0]);
  check_splits<double>("normal float64", r.normal[1]);
  check_splits<uint32_t>("bits", r.bits);
  check_moments<float>("uniform float32", r.uniform[0], 0.5, 1.0 / 12, 1.0 / 80);
  check_moments<double>("uniform float64", r.uniform[1], 0.5, 1.0 / 12, 1.0 / 80);
  check_moments<float>("normal float32", r.normal[0], 0, 1, 3);
  check_moments<double>("normal float64", r.normal[1], 0, 1, 3);
  check_uniform_range<float>(r.uniform[0]);
  check_uniform_range<double>(r.uniform[1]);
  check_integers<int32_t>(r.integers[0]);
  check_integers<int64_t>(r.integers[1]);
}

}  // namespace nabla::test
