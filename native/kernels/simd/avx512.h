// The vector vocabulary on AVX-512 (F, DQ, BW, VL): 16 lanes of float and int32, 8 of double and int64.
#pragma once
#include <immintrin.h>

#include "kernels/gemm.h"
#include "kernels/simd/lane.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
struct Vec;

// A bit for each lane of BYTES bytes; a comparison of floats selects integers of the same width too.
template <int BYTES>
struct LaneMask;
#define NABLA_LANE_MASK(bytes, type, all_lanes)                                                  \
  template <>                                                                                    \
  struct LaneMask<bytes> {                                                                       \
    type v;                                                                                      \
    friend LaneMask operator&(LaneMask a, LaneMask b) { return {static_cast<type>(a.v & b.v)}; } \
    friend LaneMask operator|(LaneMask a, LaneMask b) { return {static_cast<type>(a.v | b.v)}; } \
    friend LaneMask operator^(LaneMask a, LaneMask b) { return {static_cast<type>(a.v ^ b.v)}; } \
    friend LaneMask operator!=(LaneMask a, LaneMask b) { return a ^ b; }                         \
    friend LaneMask operator==(LaneMask a, LaneMask b) { return !(a ^ b); }                      \
    friend LaneMask operator!(LaneMask a) { return {static_cast<type>(~a.v)}; }                  \
    friend bool any(LaneMask a) { return a.v != 0; }                                             \
    friend bool all(LaneMask a) { return a.v == all_lanes; }                                     \
  };
NABLA_LANE_MASK(4, __mmask16, 0xffff)
NABLA_LANE_MASK(8, __mmask8, 0xff)
#undef NABLA_LANE_MASK
template <class T>
using Mask = LaneMask<sizeof(T)>;

// The first n lanes.
inline __mmask16 first_lanes_32(int n) { return static_cast<__mmask16>((1u << n) - 1); }
inline __mmask8 first_lanes_64(int n) { return static_cast<__mmask8>((1u << n) - 1); }

template <>
struct Vec<float> {
  using Scalar = float;
  using Bits = Vec<int32_t>;
  static constexpr int kLanes = 16;
  __m512 v;

  Vec() = default;
  Vec(__m512 x) : v(x) {}
  Vec(float x) : v(_mm512_set1_ps(x)) {}
  static Vec set1(float x) { return x; }
  static Vec load(const float* p) { return _mm512_loadu_ps(p); }
  static Vec load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(first_lanes_32(n), p); }
  static void store(float* p, Vec x) { _mm512_storeu_ps(p, x.v); }
  static void stream(float* p, Vec x) { _mm512_stream_ps(p, x.v); }
  static void store_n(float* p, Vec x, int n) { _mm512_mask_storeu_ps(p, first_lanes_32(n), x.v); }

  friend Vec operator+(Vec a, Vec b) { return _mm512_add_ps(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm512_sub_ps(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm512_mul_ps(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return _mm512_div_ps(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f)); }
  friend Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a.v, b.v, c.v); }
  friend Vec min(Vec a, Vec b) { return _mm512_min_ps(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm512_max_ps(a.v, b.v); }
  friend Vec sqrt(Vec a) { return _mm512_sqrt_ps(a.v); }
  friend Vec abs(Vec a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.v); }
  friend Vec copysign(Vec a, Vec b) {
    const Vec sign = -0.0f;
    return _mm512_or_ps(_mm512_andnot_ps(sign.v, a.v), _mm512_and_ps(sign.v, b.v));
  }
  friend Vec round(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  friend Vec floor(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  friend Vec ceil(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  friend Vec trunc(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  friend Mask<float> operator==(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
  friend Mask<float> operator!=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
  friend Mask<float> operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
  friend Mask<float> operator<=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
  friend Mask<float> operator>(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
  friend Mask<float> operator>=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
  friend Vec select(Mask<float> m, Vec a, Vec b) { return _mm512_mask_blend_ps(m.v, b.v, a.v); }
};

template <>
struct Vec<double> {
  using Scalar = double;
  using Bits = Vec<int64_t>;
  static constexpr int kLanes = 8;
  __m512d v;

  Vec() = default;
  Vec(__m512d x) : v(x) {}
  Vec(double x) : v(_mm512_set1_pd(x)) {}
  static Vec set1(double x) { return x; }
  static Vec load(const double* p) { return _mm512_loadu_pd(p); }
  static Vec load_n(const double* p, int n) { return _mm512_maskz_loadu_pd(first_lanes_64(n), p); }
  static void store(double* p, Vec x) { _mm512_storeu_pd(p, x.v); }
  static void stream(double* p, Vec x) { _mm512_stream_pd(p, x.v); }
  static void store_n(double* p, Vec x, int n) { _mm512_mask_storeu_pd(p, first_lanes_64(n), x.v); }

  friend Vec operator+(Vec a, Vec b) { return _mm512_add_pd(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm512_sub_pd(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm512_mul_pd(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return _mm512_div_pd(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm512_xor_pd(a.v, _mm512_set1_pd(-0.0)); }
  friend Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_pd(a.v, b.v, c.v); }
  friend Vec min(Vec a, Vec b) { return _mm512_min_pd(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm512_max_pd(a.v, b.v); }
  friend Vec sqrt(Vec a) { return _mm512_sqrt_pd(a.v); }
  friend Vec abs(Vec a) { return _mm512_andnot_pd(_mm512_set1_pd(-0.0), a.v); }
  friend Vec copysign(Vec a, Vec b) {
    const Vec sign = -0.0;
    return _mm512_or_pd(_mm512_andnot_pd(sign.v, a.v), _mm512_and_pd(sign.v, b.v));
  }
  friend Vec round(Vec a) { return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  friend Vec floor(Vec a) { return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  friend Vec ceil(Vec a) { return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  friend Vec trunc(Vec a) { return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  friend Mask<double> operator==(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
  friend Mask<double> operator!=(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
  friend Mask<double> operator<(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
  friend Mask<double> operator<=(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)}; }
  friend Mask<double> operator>(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ)}; }
  friend Mask<double> operator>=(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GE_OQ)}; }
  friend Vec select(Mask<double> m, Vec a, Vec b) { return _mm512_mask_blend_pd(m.v, b.v, a.v); }
};

template <>
struct Vec<int32_t> {
  using Scalar = int32_t;
  using Bits = Vec<float>;
  static constexpr int kLanes = 16;
  __m512i v;

  Vec() = default;
  Vec(__m512i x) : v(x) {}
  Vec(int32_t x) : v(_mm512_set1_epi32(x)) {}
  static Vec set1(int32_t x) { return x; }
  static Vec load(const int32_t* p) { return _mm512_loadu_si512(p); }
  static Vec load_n(const int32_t* p, int n) { return _mm512_maskz_loadu_epi32(first_lanes_32(n), p); }
  static void store(int32_t* p, Vec x) { _mm512_storeu_si512(p, x.v); }
  static void store_n(int32_t* p, Vec x, int n) { _mm512_mask_storeu_epi32(p, first_lanes_32(n), x.v); }

  friend Vec operator+(Vec a, Vec b) { return _mm512_add_epi32(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm512_sub_epi32(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm512_mullo_epi32(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm512_sub_epi32(_mm512_setzero_si512(), a.v); }
  friend Vec operator&(Vec a, Vec b) { return _mm512_and_si512(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return _mm512_or_si512(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return _mm512_xor_si512(a.v, b.v); }
  friend Vec shift_left(Vec a, int n) { return _mm512_slli_epi32(a.v, static_cast<unsigned>(n)); }
  friend Vec shift_right(Vec a, int n) { return _mm512_srli_epi32(a.v, static_cast<unsigned>(n)); }
  friend Vec shift_right_signed(Vec a, int n) { return _mm512_srai_epi32(a.v, static_cast<unsigned>(n)); }
  friend Vec min(Vec a, Vec b) { return _mm512_min_epi32(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm512_max_epi32(a.v, b.v); }
  friend Vec abs(Vec a) { return _mm512_abs_epi32(a.v); }
  friend Mask<int32_t> operator==(Vec a, Vec b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
  friend Mask<int32_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int32_t> operator>(Vec a, Vec b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
  friend Mask<int32_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int32_t> operator<=(Vec a, Vec b) { return !(a > b); }
  friend Mask<int32_t> operator>=(Vec a, Vec b) { return !(b > a); }
  friend Vec select(Mask<int32_t> m, Vec a, Vec b) { return _mm512_mask_blend_epi32(m.v, b.v, a.v); }
  friend Bits from_bits(Vec a) { return _mm512_castsi512_ps(a.v); }
};

template <>
struct Vec<int64_t> {
  using Scalar = int64_t;
  using Bits = Vec<double>;
  static constexpr int kLanes = 8;
  __m512i v;

  Vec() = default;
  Vec(__m512i x) : v(x) {}
  Vec(int64_t x) : v(_mm512_set1_epi64(x)) {}
  static Vec set1(int64_t x) { return x; }
  static Vec load(const int64_t* p) { return _mm512_loadu_si512(p); }
  static Vec load_n(const int64_t* p, int n) { return _mm512_maskz_loadu_epi64(first_lanes_64(n), p); }
  static void store(int64_t* p, Vec x) { _mm512_storeu_si512(p, x.v); }
  static void store_n(int64_t* p, Vec x, int n) { _mm512_mask_storeu_epi64(p, first_lanes_64(n), x.v); }

  friend Vec operator+(Vec a, Vec b) { return _mm512_add_epi64(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm512_sub_epi64(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm512_sub_epi64(_mm512_setzero_si512(), a.v); }
  friend Vec operator&(Vec a, Vec b) { return _mm512_and_si512(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return _mm512_or_si512(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return _mm512_xor_si512(a.v, b.v); }
  friend Vec shift_left(Vec a, int n) { return _mm512_slli_epi64(a.v, static_cast<unsigned>(n)); }
  friend Vec shift_right(Vec a, int n) { return _mm512_srli_epi64(a.v, static_cast<unsigned>(n)); }
  friend Mask<int64_t> operator==(Vec a, Vec b) { return {_mm512_cmpeq_epi64_mask(a.v, b.v)}; }
  friend Mask<int64_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int64_t> operator>(Vec a, Vec b) { return {_mm512_cmpgt_epi64_mask(a.v, b.v)}; }
  friend Mask<int64_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int64_t> operator<=(Vec a, Vec b) { return !(a > b); }
  friend Mask<int64_t> operator>=(Vec a, Vec b) { return !(b > a); }
  friend Vec select(Mask<int64_t> m, Vec a, Vec b) { return _mm512_mask_blend_epi64(m.v, b.v, a.v); }
  friend Bits from_bits(Vec a) { return _mm512_castsi512_pd(a.v); }
};

inline Vec<int32_t> to_bits(Vec<float> a) { return _mm512_castps_si512(a.v); }
inline Vec<int64_t> to_bits(Vec<double> a) { return _mm512_castpd_si512(a.v); }
inline Vec<float> to_float(Vec<int32_t> a) { return _mm512_cvtepi32_ps(a.v); }
// Ties to even; values that int32 cannot represent become -2^31.
inline Vec<int32_t> to_int(Vec<float> a) { return _mm512_cvtps_epi32(a.v); }

// Reduces all lanes to one value: f folds the second half onto the first until one lane is left.
template <class F>
inline float fold(Vec<float> v, F f) {
  v = f(v, Vec<float>(_mm512_shuffle_f32x4(v.v, v.v, 0x4e)));
  v = f(v, Vec<float>(_mm512_shuffle_f32x4(v.v, v.v, 0xb1)));
  v = f(v, Vec<float>(_mm512_shuffle_ps(v.v, v.v, 0x4e)));
  return _mm512_cvtss_f32(f(v, Vec<float>(_mm512_shuffle_ps(v.v, v.v, 0xb1))).v);
}
template <class F>
inline double fold(Vec<double> v, F f) {
  v = f(v, Vec<double>(_mm512_shuffle_f64x2(v.v, v.v, 0x4e)));
  v = f(v, Vec<double>(_mm512_shuffle_f64x2(v.v, v.v, 0xb1)));
  return _mm512_cvtsd_f64(f(v, Vec<double>(_mm512_shuffle_pd(v.v, v.v, 0x55))).v);
}

inline Vec<double> low_half(Vec<float> a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a.v)); }
inline Vec<double> high_half(Vec<float> a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1)); }

inline Vec<double> load_double(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
inline Vec<float> load_float(const BFloat16* p) {
  const __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

// f, written for vectors of double, over vectors of float.
template <class F, class... V>
inline Vec<float> in_double(F f, V... x) {
  const __m256 low = _mm512_cvtpd_ps(f(low_half(x)...).v), high = _mm512_cvtpd_ps(f(high_half(x)...).v);
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

// low + 2^32 high = a * m, of unsigned numbers.
struct Product {
  Vec<int32_t> high, low;
};
inline Product multiply_wide(Vec<int32_t> a, uint32_t m) {
  const __m512i factor = _mm512_set1_epi64(m);
  const __m512i even = _mm512_mul_epu32(a.v, factor), odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), factor);
  return {_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd),
          _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))};
}

// Of kLanes bytes, 0 or 1; the second argument tells how wide the lanes are.
inline Mask<int32_t> mask_of_bool(const bool* p, Vec<int32_t>) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm_test_epi8_mask(bytes, bytes)};
}
inline Mask<int64_t> mask_of_bool(const bool* p, Vec<int64_t>) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return {static_cast<__mmask8>(_mm_test_epi8_mask(bytes, bytes))};
}

// v[i] holds value i of each row, one row per lane; as many values as one transposing step yields. Quarters of rows
// meet while they are loaded.
template <class T>
constexpr int kGemmTransposed = 16 / sizeof(T);

inline __m128 load_four(const float* p) { return _mm_loadu_ps(p); }
inline __m128 load_four(const BFloat16* p) {
  const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves));
}

template <class S>
inline void load_transposed(Vec<float> (&v)[4], const S* const (&row)[16]) {
  __m512 quarter[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    quarter[i] = _mm512_castps128_ps512(load_four(row[i]));
    quarter[i] = _mm512_insertf32x4(quarter[i], load_four(row[i + 4]), 1);
    quarter[i] = _mm512_insertf32x4(quarter[i], load_four(row[i + 8]), 2);
    quarter[i] = _mm512_insertf32x4(quarter[i], load_four(row[i + 12]), 3);
  }
  const __m512 a = _mm512_unpacklo_ps(quarter[0], quarter[1]), b = _mm512_unpackhi_ps(quarter[0], quarter[1]);
  const __m512 c = _mm512_unpacklo_ps(quarter[2], quarter[3]), d = _mm512_unpackhi_ps(quarter[2], quarter[3]);
  v[0] = _mm512_shuffle_ps(a, c, 0x44);
  v[1] = _mm512_shuffle_ps(a, c, 0xee);
  v[2] = _mm512_shuffle_ps(b, d, 0x44);
  v[3] = _mm512_shuffle_ps(b, d, 0xee);
}

inline void load_transposed(Vec<double> (&v)[2], const double* const (&row)[8]) {
  __m512d quarter[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    quarter[i] = _mm512_castpd128_pd512(_mm_loadu_pd(row[i]));
    quarter[i] = _mm512_insertf64x2(quarter[i], _mm_loadu_pd(row[i + 2]), 1);
    quarter[i] = _mm512_insertf64x2(quarter[i], _mm_loadu_pd(row[i + 4]), 2);
    quarter[i] = _mm512_insertf64x2(quarter[i], _mm_loadu_pd(row[i + 6]), 3);
  }
  v[0] = _mm512_unpacklo_pd(quarter[0], quarter[1]);
  v[1] = _mm512_unpackhi_pd(quarter[0], quarter[1]);
}

// The register tile of GEMM: 24 of 32 registers hold sums, so that tasks of 144 rows are whole tiles.
constexpr int kGemmRows = 12, kGemmVectors = 2;
// A panel of A stays in L1, as one of B nearly fills it, and the next panel of B is prefetched: L2 is fast, L3 is
// far.
constexpr bool kGemmKeepsA = true, kGemmPrefetches = true;
constexpr GemmCaches kGemmCaches = kGemmLargeCaches;
// Prefetch distances in bytes: of elementwise kernels for lines that they write, and of sums for those that they read:
// cores of this kind wait for either.
constexpr int64_t kWritePrefetch = 2048, kReadPrefetch = 8192;

}  // namespace
}  // namespace nabla::NABLA_ISA
