// The vector vocabulary on NEON, as every 64-bit ARM has it: 4 lanes of float and int32, 2 of double and int64.
#pragma once
#include <arm_neon.h>

#include "kernels/gemm.h"
#include "kernels/simd/lane.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
struct Vec;

// All ones or all zeros in each lane of BYTES bytes; a comparison of floats selects integers of the same width too.
template <int BYTES>
struct LaneMask;
template <>
struct LaneMask<4> {
  uint32x4_t v;
  friend LaneMask operator&(LaneMask a, LaneMask b) { return {vandq_u32(a.v, b.v)}; }
  friend LaneMask operator|(LaneMask a, LaneMask b) { return {vorrq_u32(a.v, b.v)}; }
  friend LaneMask operator^(LaneMask a, LaneMask b) { return {veorq_u32(a.v, b.v)}; }
  friend LaneMask operator!=(LaneMask a, LaneMask b) { return a ^ b; }
  friend LaneMask operator==(LaneMask a, LaneMask b) { return !(a ^ b); }
  friend LaneMask operator!(LaneMask a) { return {vmvnq_u32(a.v)}; }
  friend bool any(LaneMask a) { return vmaxvq_u32(a.v) != 0; }
  friend bool all(LaneMask a) { return vminvq_u32(a.v) != 0; }
};
template <>
struct LaneMask<8> {
  uint64x2_t v;
  friend LaneMask operator&(LaneMask a, LaneMask b) { return {vandq_u64(a.v, b.v)}; }
  friend LaneMask operator|(LaneMask a, LaneMask b) { return {vorrq_u64(a.v, b.v)}; }
  friend LaneMask operator^(LaneMask a, LaneMask b) { return {veorq_u64(a.v, b.v)}; }
  friend LaneMask operator!=(LaneMask a, LaneMask b) { return a ^ b; }
  friend LaneMask operator==(LaneMask a, LaneMask b) { return !(a ^ b); }
  friend LaneMask operator!(LaneMask a) { return {veorq_u64(a.v, vdupq_n_u64(~uint64_t{0}))}; }
  friend bool any(LaneMask a) { return vmaxvq_u32(vreinterpretq_u32_u64(a.v)) != 0; }
  friend bool all(LaneMask a) { return vminvq_u32(vreinterpretq_u32_u64(a.v)) != 0; }
};
template <class T>
using Mask = LaneMask<sizeof(T)>;

template <>
struct Vec<float> {
  using Scalar = float;
  using Bits = Vec<int32_t>;
  static constexpr int kLanes = 4;
  float32x4_t v;

  Vec() = default;
  Vec(float32x4_t x) : v(x) {}
  Vec(float x) : v(vdupq_n_f32(x)) {}
  static Vec set1(float x) { return x; }
  static Vec load(const float* p) { return vld1q_f32(p); }
  static Vec load_n(const float* p, int n) {
    if (n >= 4) return load(p);
    float32x4_t x = vdupq_n_f32(0);
    if (n & 2) x = vcombine_f32(vld1_f32(p), vget_low_f32(x));
    if (n == 3) x = vld1q_lane_f32(p + 2, x, 2);
    if (n == 1) x = vld1q_lane_f32(p, x, 0);
    return x;
  }
  static void store(float* p, Vec x) { vst1q_f32(p, x.v); }
  static void stream(float* p, Vec x) { store(p, x); }
  static void store_n(float* p, Vec x, int n) {
    if (n >= 4) return store(p, x);
    if (n & 2) vst1_f32(p, vget_low_f32(x.v));
    if (n == 3) vst1q_lane_f32(p + 2, x.v, 2);
    if (n == 1) vst1q_lane_f32(p, x.v, 0);
  }

  friend Vec operator+(Vec a, Vec b) { return vaddq_f32(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return vsubq_f32(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return vmulq_f32(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return vdivq_f32(a.v, b.v); }
  friend Vec operator-(Vec a) { return vnegq_f32(a.v); }
  friend Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f32(c.v, a.v, b.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return vfmsq_f32(c.v, a.v, b.v); }
  // NEON's own order zeros and pass NaNs on: on every ISA it is the second operand that stays unless the first wins.
  friend Vec min(Vec a, Vec b) { return vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v); }
  friend Vec sqrt(Vec a) { return vsqrtq_f32(a.v); }
  friend Vec abs(Vec a) { return vabsq_f32(a.v); }
  friend Vec copysign(Vec a, Vec b) { return vbslq_f32(vdupq_n_u32(0x80000000), b.v, a.v); }
  friend Vec round(Vec a) { return vrndnq_f32(a.v); }
  friend Vec floor(Vec a) { return vrndmq_f32(a.v); }
  friend Vec ceil(Vec a) { return vrndpq_f32(a.v); }
  friend Vec trunc(Vec a) { return vrndq_f32(a.v); }
  friend Mask<float> operator==(Vec a, Vec b) { return {vceqq_f32(a.v, b.v)}; }
  friend Mask<float> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<float> operator<(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
  friend Mask<float> operator<=(Vec a, Vec b) { return {vcleq_f32(a.v, b.v)}; }
  friend Mask<float> operator>(Vec a, Vec b) { return {vcgtq_f32(a.v, b.v)}; }
  friend Mask<float> operator>=(Vec a, Vec b) { return {vcgeq_f32(a.v, b.v)}; }
  friend Vec select(Mask<float> m, Vec a, Vec b) { return vbslq_f32(m.v, a.v, b.v); }
};

template <>
struct Vec<double> {
  using Scalar = double;
  using Bits = Vec<int64_t>;
  static constexpr int kLanes = 2;
  float64x2_t v;

  Vec() = default;
  Vec(float64x2_t x) : v(x) {}
  Vec(double x) : v(vdupq_n_f64(x)) {}
  static Vec set1(double x) { return x; }
  static Vec load(const double* p) { return vld1q_f64(p); }
  static Vec load_n(const double* p, int n) {
    if (n >= 2) return load(p);
    const float64x2_t zero = vdupq_n_f64(0);
    return n > 0 ? vld1q_lane_f64(p, zero, 0) : zero;
  }
  static void store(double* p, Vec x) { vst1q_f64(p, x.v); }
  static void stream(double* p, Vec x) { store(p, x); }
  static void store_n(double* p, Vec x, int n) {
    if (n >= 2) return store(p, x);
    if (n > 0) vst1q_lane_f64(p, x.v, 0);
  }

  friend Vec operator+(Vec a, Vec b) { return vaddq_f64(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return vsubq_f64(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return vmulq_f64(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return vdivq_f64(a.v, b.v); }
  friend Vec operator-(Vec a) { return vnegq_f64(a.v); }
  friend Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f64(c.v, a.v, b.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return vfmsq_f64(c.v, a.v, b.v); }
  friend Vec min(Vec a, Vec b) { return vbslq_f64(vcltq_f64(a.v, b.v), a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return vbslq_f64(vcgtq_f64(a.v, b.v), a.v, b.v); }
  friend Vec sqrt(Vec a) { return vsqrtq_f64(a.v); }
  friend Vec abs(Vec a) { return vabsq_f64(a.v); }
  friend Vec copysign(Vec a, Vec b) { return vbslq_f64(vdupq_n_u64(uint64_t{1} << 63), b.v, a.v); }
  friend Vec round(Vec a) { return vrndnq_f64(a.v); }
  friend Vec floor(Vec a) { return vrndmq_f64(a.v); }
  friend Vec ceil(Vec a) { return vrndpq_f64(a.v); }
  friend Vec trunc(Vec a) { return vrndq_f64(a.v); }
  friend Mask<double> operator==(Vec a, Vec b) { return {vceqq_f64(a.v, b.v)}; }
  friend Mask<double> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<double> operator<(Vec a, Vec b) { return {vcltq_f64(a.v, b.v)}; }
  friend Mask<double> operator<=(Vec a, Vec b) { return {vcleq_f64(a.v, b.v)}; }
  friend Mask<double> operator>(Vec a, Vec b) { return {vcgtq_f64(a.v, b.v)}; }
  friend Mask<double> operator>=(Vec a, Vec b) { return {vcgeq_f64(a.v, b.v)}; }
  friend Vec select(Mask<double> m, Vec a, Vec b) { return vbslq_f64(m.v, a.v, b.v); }
};

template <>
struct Vec<int32_t> {
  using Scalar = int32_t;
  using Bits = Vec<float>;
  static constexpr int kLanes = 4;
  int32x4_t v;

  Vec() = default;
  Vec(int32x4_t x) : v(x) {}
  Vec(int32_t x) : v(vdupq_n_s32(x)) {}
  static Vec set1(int32_t x) { return x; }
  static Vec load(const int32_t* p) { return vld1q_s32(p); }
  static Vec load_n(const int32_t* p, int n) {
    return vreinterpretq_s32_f32(Vec<float>::load_n(reinterpret_cast<const float*>(p), n).v);
  }
  static void store(int32_t* p, Vec x) { vst1q_s32(p, x.v); }
  static void store_n(int32_t* p, Vec x, int n) {
    Vec<float>::store_n(reinterpret_cast<float*>(p), vreinterpretq_f32_s32(x.v), n);
  }

  friend Vec operator+(Vec a, Vec b) { return vaddq_s32(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return vsubq_s32(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return vmulq_s32(a.v, b.v); }
  friend Vec operator-(Vec a) { return vnegq_s32(a.v); }
  friend Vec operator&(Vec a, Vec b) { return vandq_s32(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return vorrq_s32(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return veorq_s32(a.v, b.v); }
  // Shifts to the left by a number in a register; a negative one shifts to the right.
  friend Vec shift_left(Vec a, int n) { return vshlq_s32(a.v, vdupq_n_s32(n)); }
  friend Vec shift_right(Vec a, int n) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v), vdupq_n_s32(-n)));
  }
  friend Vec shift_right_signed(Vec a, int n) { return vshlq_s32(a.v, vdupq_n_s32(-n)); }
  friend Vec min(Vec a, Vec b) { return vminq_s32(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return vmaxq_s32(a.v, b.v); }
  friend Vec abs(Vec a) { return vabsq_s32(a.v); }
  friend Mask<int32_t> operator==(Vec a, Vec b) { return {vceqq_s32(a.v, b.v)}; }
  friend Mask<int32_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int32_t> operator>(Vec a, Vec b) { return {vcgtq_s32(a.v, b.v)}; }
  friend Mask<int32_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int32_t> operator<=(Vec a, Vec b) { return {vcleq_s32(a.v, b.v)}; }
  friend Mask<int32_t> operator>=(Vec a, Vec b) { return b <= a; }
  friend Vec select(Mask<int32_t> m, Vec a, Vec b) { return vbslq_s32(m.v, a.v, b.v); }
  friend Bits from_bits(Vec a) { return vreinterpretq_f32_s32(a.v); }
};

template <>
struct Vec<int64_t> {
  using Scalar = int64_t;
  using Bits = Vec<double>;
  static constexpr int kLanes = 2;
  int64x2_t v;

  Vec() = default;
  Vec(int64x2_t x) : v(x) {}
  Vec(int64_t x) : v(vdupq_n_s64(x)) {}
  static Vec set1(int64_t x) { return x; }
  static Vec load(const int64_t* p) { return vld1q_s64(p); }
  static Vec load_n(const int64_t* p, int n) {
    return vreinterpretq_s64_f64(Vec<double>::load_n(reinterpret_cast<const double*>(p), n).v);
  }
  static void store(int64_t* p, Vec x) { vst1q_s64(p, x.v); }
  static void store_n(int64_t* p, Vec x, int n) {
    Vec<double>::store_n(reinterpret_cast<double*>(p), vreinterpretq_f64_s64(x.v), n);
  }

  friend Vec operator+(Vec a, Vec b) { return vaddq_s64(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return vsubq_s64(a.v, b.v); }
  friend Vec operator-(Vec a) { return vnegq_s64(a.v); }
  friend Vec operator&(Vec a, Vec b) { return vandq_s64(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return vorrq_s64(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return veorq_s64(a.v, b.v); }
  friend Vec shift_left(Vec a, int n) { return vshlq_s64(a.v, vdupq_n_s64(n)); }
  friend Vec shift_right(Vec a, int n) {
    return vreinterpretq_s64_u64(vshlq_u64(vreinterpretq_u64_s64(a.v), vdupq_n_s64(-n)));
  }
  friend Mask<int64_t> operator==(Vec a, Vec b) { return {vceqq_s64(a.v, b.v)}; }
  friend Mask<int64_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int64_t> operator>(Vec a, Vec b) { return {vcgtq_s64(a.v, b.v)}; }
  friend Mask<int64_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int64_t> operator<=(Vec a, Vec b) { return {vcleq_s64(a.v, b.v)}; }
  friend Mask<int64_t> operator>=(Vec a, Vec b) { return b <= a; }
  friend Vec select(Mask<int64_t> m, Vec a, Vec b) { return vbslq_s64(m.v, a.v, b.v); }
  friend Bits from_bits(Vec a) { return vreinterpretq_f64_s64(a.v); }
};

inline Vec<int32_t> to_bits(Vec<float> a) { return vreinterpretq_s32_f32(a.v); }
inline Vec<int64_t> to_bits(Vec<double> a) { return vreinterpretq_s64_f64(a.v); }
inline Vec<float> to_float(Vec<int32_t> a) { return vcvtq_f32_s32(a.v); }
// Ties to even; values that int32 cannot represent become -2^31.
inline Vec<int32_t> to_int(Vec<float> a) {
  const Mask<float> holds = (a >= -0x1p31f) & (a < 0x1p31f);
  return select(holds, Vec<int32_t>(vcvtnq_s32_f32(a.v)), INT32_MIN);
}

// Reduces all lanes to one value: f folds the second half onto the first until one lane is left.
template <class F>
inline float fold(Vec<float> v, F f) {
  v = f(v, Vec<float>(vextq_f32(v.v, v.v, 2)));
  return vgetq_lane_f32(f(v, Vec<float>(vextq_f32(v.v, v.v, 1))).v, 0);
}
template <class F>
inline double fold(Vec<double> v, F f) {
  return vgetq_lane_f64(f(v, Vec<double>(vextq_f64(v.v, v.v, 1))).v, 0);
}

inline Vec<double> load_double(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
inline Vec<float> load_float(const BFloat16* p) {
  return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(&p->bits)), 16));
}

// f, written for vectors of double, over vectors of float.
template <class F, class... V>
inline Vec<float> in_double(F f, V... x) {
  const float64x2_t low = f(Vec<double>(vcvt_f64_f32(vget_low_f32(x.v)))...).v;
  const float64x2_t high = f(Vec<double>(vcvt_high_f64_f32(x.v))...).v;
  return vcvt_high_f32_f64(vcvt_f32_f64(low), high);
}

// low + 2^32 high = a * m, of unsigned numbers.
struct Product {
  Vec<int32_t> high, low;
};
inline Product multiply_wide(Vec<int32_t> a, uint32_t m) {
  const uint32x4_t x = vreinterpretq_u32_s32(a.v);
  const uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(x), m));
  const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_n_u32(x, m));
  return {vreinterpretq_s32_u32(vuzp2q_u32(first, second)), vreinterpretq_s32_u32(vuzp1q_u32(first, second))};
}

// Of kLanes bytes, 0 or 1; the second argument tells how wide the lanes are.
inline Mask<int32_t> mask_of_bool(const bool* p, Vec<int32_t>) {
  uint32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  const uint16x8_t wide = vmovl_u8(vcreate_u8(four));
  return {vcgtq_u32(vmovl_u16(vget_low_u16(wide)), vdupq_n_u32(0))};
}
inline Mask<int64_t> mask_of_bool(const bool* p, Vec<int64_t>) {
  const uint64x2_t wide = vcombine_u64(vcreate_u64(p[0]), vcreate_u64(p[1]));
  return {vcgtq_u64(wide, vdupq_n_u64(0))};
}

// v[i] holds value i of each row, one row per lane; as many values as one transposing step yields.
template <class T>
constexpr int kGemmTransposed = 16 / sizeof(T);

inline float32x4_t load_four(const float* p) { return vld1q_f32(p); }
inline float32x4_t load_four(const BFloat16* p) { return load_float(p).v; }

template <class S>
inline void load_transposed(Vec<float> (&v)[4], const S* const (&row)[4]) {
  const float32x4_t r0 = load_four(row[0]), r1 = load_four(row[1]), r2 = load_four(row[2]), r3 = load_four(row[3]);
  const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(r0, r1)), b = vreinterpretq_f64_f32(vtrn2q_f32(r0, r1));
  const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(r2, r3)), d = vreinterpretq_f64_f32(vtrn2q_f32(r2, r3));
  v[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
  v[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
  v[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
  v[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

inline void load_transposed(Vec<double> (&v)[2], const double* const (&row)[2]) {
  const float64x2_t a = vld1q_f64(row[0]), b = vld1q_f64(row[1]);
  v[0] = vtrn1q_f64(a, b);
  v[1] = vtrn2q_f64(a, b);
}

// The register tile of GEMM: 24 of 32 registers hold sums.
constexpr int kGemmRows = 8, kGemmVectors = 3;
constexpr bool kGemmKeepsA = false, kGemmPrefetches = false;
constexpr GemmCaches kGemmCaches = kGemmSmallCaches;
constexpr int64_t kWritePrefetch = 0, kReadPrefetch = 0;

}  // namespace
}  // namespace nabla::NABLA_ISA
