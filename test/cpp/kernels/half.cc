// bfloat16 and float16: every bit pattern to float and back, and floats, doubles and integers against rounding by
// search.
#include "base/half.h"

#include <type_traits>

#include "check.h"

namespace nabla::test {
namespace {

// The value of a half by its definition: sign, exponent and fraction.
double value_of(uint16_t bits, int exponent_bits, int fraction_bits) {
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1), bias = (1 << (exponent_bits - 1)) - 1;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  const double size = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                    : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  return sign * size;
}

template <class H>
struct Format;
template <>
struct Format<BFloat16> {
  static constexpr int kExponent = 8, kFraction = 7;
};
template <>
struct Format<Float16> {
  static constexpr int kExponent = 5, kFraction = 10;
};

template <class H>
double value_of(uint16_t bits) {
  return value_of(bits, Format<H>::kExponent, Format<H>::kFraction);
}

template <class H>
constexpr uint16_t kInfinity = static_cast<uint16_t>(((1 << Format<H>::kExponent) - 1) << Format<H>::kFraction);

// Half the distance from the largest number to what would follow it.
template <class H>
double overflow() {
  const double largest = value_of<H>(kInfinity<H> - 1);
  return largest + (largest - value_of<H>(kInfinity<H> - 2)) / 2;
}

// The nearest half by binary search over all that are not negative, ties to the even pattern.
template <class H>
uint16_t nearest(long double x, bool negative) {
  const uint16_t sign = negative ? 0x8000 : 0;
  const long double size = x < 0 ? -x : x;
  if (size >= overflow<H>()) return sign | kInfinity<H>;
  uint16_t low = 0, high = kInfinity<H>;  // value(low) <= size < value(high)
  while (high - low > 1) {
    const uint16_t middle = static_cast<uint16_t>((low + high) / 2);
    (value_of<H>(middle) <= size ? low : high) = middle;
  }
  if (high == kInfinity<H>) return sign | low;
  const long double below = size - value_of<H>(low), above = value_of<H>(high) - size;
  return sign | (below < above || (below == above && low % 2 == 0) ? low : high);
}

template <class To, class From>
void convert(const KernelTable& tier, std::vector<To>& out, const std::vector<From>& in) {
  out.resize(in.size());
  tier.convert.gather[static_cast<int>(DTypeOf<To>::value)][static_cast<int>(DTypeOf<From>::value)](
      out.data(), in.data(), 1, static_cast<int64_t>(in.size()));
}

template <class H, class From>
void check_rounding(const KernelTable& tier, const std::vector<From>& in) {
  std::vector<H> out;
  convert(tier, out, in);
  const char* name = kDTypeNames[static_cast<int>(DTypeOf<H>::value)];
  for (size_t i = 0; i < in.size(); i++) {
    const From x = in[i];
    if (x != x) {
      const uint16_t size = out[i].bits & 0x7fff;
      check(size > kInfinity<H>, "%s %s(nan) is not nan", tier.isa, name);
      continue;
    }
    bool negative = x < 0;
    if constexpr (std::is_floating_point_v<From>) negative = std::signbit(x);
    const uint16_t want = nearest<H>(x, negative);
    check(out[i].bits == want, "%s %s(%.17g): expected %04x, got %04x", tier.isa, name, static_cast<double>(x), want,
          out[i].bits);
  }
}

template <class H>
void check_all_halves(const KernelTable& tier) {
  std::vector<H> all(65536), back;
  for (int i = 0; i < 65536; i++) all[i].bits = static_cast<uint16_t>(i);
  std::vector<float> floats;
  std::vector<double> doubles;
  convert(tier, floats, all);
  convert(tier, doubles, all);
  convert(tier, back, floats);
  for (int i = 0; i < 65536; i++) {
    const double want = value_of<H>(static_cast<uint16_t>(i));
    check(same(doubles[i], want) && same<double>(floats[i], want), "%s %04x: expected %g, got %g", tier.isa, i, want,
          doubles[i]);
    if (want == want) check(back[i].bits == i, "%s %04x came back as %04x", tier.isa, i, back[i].bits);
  }
  convert(tier, back, doubles);
  for (int i = 0; i < 65536; i++)
    if (doubles[i] == doubles[i]) check(back[i].bits == i, "%s %04x came back as %04x", tier.isa, i, back[i].bits);
}

// The numbers halfway between neighbors, and the closest floats and doubles on both sides of each.
template <class H, class From>
void check_midpoints(const KernelTable& tier) {
  std::vector<From> x;
  for (int i = 0; i < kInfinity<H>; i++) {
    const double low = value_of<H>(static_cast<uint16_t>(i));
    const double high = i + 1 == kInfinity<H> ? 2 * overflow<H>() - low : value_of<H>(static_cast<uint16_t>(i + 1));
    const From middle = static_cast<From>(low + (high - low) / 2);
    for (From y : {middle, std::nextafter(middle, From(0)), std::nextafter(middle, From(INFINITY))}) {
      x.push_back(y);
      x.push_back(-y);
    }
  }
  check_rounding<H>(tier, x);
}

template <class H>
void check_integers(const KernelTable& tier) {
  std::vector<int64_t> x = {0, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  std::vector<int32_t> narrow = {0, INT32_MAX, INT32_MIN};
  for (int shift = 0; shift < 63; shift++)
    for (int64_t head : {256, 257, 258, 259, 2048, 2049, 2050, 2051}) {
      const int64_t size = shift < 51 ? head << shift : INT64_MAX;
      for (int64_t y : {size - 1, size, size < INT64_MAX ? size + 1 : size}) {
        x.push_back(y);
        x.push_back(-y);
        if (y < INT32_MAX) narrow.push_back(static_cast<int32_t>(y));
      }
    }
  check_rounding<H>(tier, x);
  check_rounding<H>(tier, narrow);
}

template <class H>
void check_half(const KernelTable& tier) {
  check_all_halves<H>(tier);
  check_midpoints<H, float>(tier);
  check_midpoints<H, double>(tier);
  check_integers<H>(tier);
  std::vector<float> strided = special_values<float>();
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 16411)
    strided.push_back(from_bits<float>(static_cast<uint32_t>(bits)));
  check_rounding<H>(tier, strided);
  check_rounding<H>(tier, special_values<double>());
}

// float to half on a stride of all floats: one tier against the other, NaN payloads too.
template <class H>
void compare_halves(const KernelTable& tier, const KernelTable& scalar) {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 257)
    x.push_back(from_bits<float>(static_cast<uint32_t>(bits)));
  std::vector<H> a, b;
  convert(tier, a, x);
  convert(scalar, b, x);
  check(!std::memcmp(a.data(), b.data(), a.size() * sizeof(H)), "%s and scalar round floats differently", tier.isa);
}

}  // namespace

void test_halves() {
  const KernelTable* tables[8];
  const int count = available_isas(tables, 8);
  for (int i = 0; i < count; i++) {
    check_half<BFloat16>(*tables[i]);
    check_half<Float16>(*tables[i]);
    compare_halves<BFloat16>(*tables[i], *tables[count - 1]);
    compare_halves<Float16>(*tables[i], *tables[count - 1]);
  }
  std::printf("halves: %d tiers\n", count);
}

}  // namespace nabla::test
