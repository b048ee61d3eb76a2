// The vector vocabulary on AVX2 and FMA: 8 lanes of float and int32, 4 of double and int64.
#pragma once
#include <immintrin.h>

#include "kernels/gemm.h"
#include "kernels/simd/lane.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
struct Vec;

// All ones or all zeros in each lane of sizeof(T) bytes; a comparison of floats selects integers of the same width too.
template <int BYTES>
struct LaneMask {
  __m256i v;
  friend LaneMask operator&(LaneMask a, LaneMask b) { return {_mm256_and_si256(a.v, b.v)}; }
  friend LaneMask operator|(LaneMask a, LaneMask b) { return {_mm256_or_si256(a.v, b.v)}; }
  friend LaneMask operator^(LaneMask a, LaneMask b) { return {_mm256_xor_si256(a.v, b.v)}; }
  friend LaneMask operator!=(LaneMask a, LaneMask b) { return a ^ b; }
  friend LaneMask operator==(LaneMask a, LaneMask b) { return !(a ^ b); }
  friend LaneMask operator!(LaneMask a) { return {_mm256_xor_si256(a.v, _mm256_set1_epi32(-1))}; }
  friend bool any(LaneMask a) { return !_mm256_testz_si256(a.v, a.v); }
  friend bool all(LaneMask a) { return _mm256_movemask_epi8(a.v) == -1; }
};
template <class T>
using Mask = LaneMask<sizeof(T)>;

// The first n lanes of 4 or 8 bytes.
inline __m256i first_lanes_32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes_64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

template <>
struct Vec<float> {
  using Scalar = float;
  using Bits = Vec<int32_t>;
  static constexpr int kLanes = 8;
  __m256 v;

  Vec() = default;
  Vec(__m256 x) : v(x) {}
  Vec(float x) : v(_mm256_set1_ps(x)) {}
  static Vec set1(float x) { return x; }
  static Vec load(const float* p) { return _mm256_loadu_ps(p); }
  static Vec load_n(const float* p, int n) { return _mm256_maskload_ps(p, first_lanes_32(n)); }
  static void store(float* p, Vec x) { _mm256_storeu_ps(p, x.v); }
  static void stream(float* p, Vec x) { _mm256_stream_ps(p, x.v); }
  // By parts: a masked store is slow on Zen.
  static void store_n(float* p, Vec x, int n) {
    if (n >= 8) return store(p, x);
    __m128 rest = _mm256_castps256_ps128(x.v);
    if (n & 4) {
      _mm_storeu_ps(p, rest);
      rest = _mm256_extractf128_ps(x.v, 1);
      p += 4;
    }
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
      rest = _mm_movehl_ps(rest, rest);
      p += 2;
    }
    if (n & 1) _mm_store_ss(p, rest);
  }

  friend Vec operator+(Vec a, Vec b) { return _mm256_add_ps(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm256_sub_ps(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm256_mul_ps(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return _mm256_div_ps(a.v, b.v); }
  friend Vec operator-(Vec a) { return -a.v; }  // may become part of a multiply-add
  friend Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a.v, b.v, c.v); }
  friend Vec min(Vec a, Vec b) { return _mm256_min_ps(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm256_max_ps(a.v, b.v); }
  friend Vec sqrt(Vec a) { return _mm256_sqrt_ps(a.v); }
  friend Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
  friend Vec copysign(Vec a, Vec b) {
    const Vec sign = -0.0f;
    return _mm256_or_ps(_mm256_andnot_ps(sign.v, a.v), _mm256_and_ps(sign.v, b.v));
  }
  friend Vec round(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  friend Vec floor(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  friend Vec ceil(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  friend Vec trunc(Vec a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  friend Mask<float> operator==(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ))}; }
  friend Mask<float> operator!=(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ))}; }
  friend Mask<float> operator<(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))}; }
  friend Mask<float> operator<=(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ))}; }
  friend Mask<float> operator>(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ))}; }
  friend Mask<float> operator>=(Vec a, Vec b) { return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ))}; }
  friend Vec select(Mask<float> m, Vec a, Vec b) { return _mm256_blendv_ps(b.v, a.v, _mm256_castsi256_ps(m.v)); }
};

template <>
struct Vec<double> {
  using Scalar = double;
  using Bits = Vec<int64_t>;
  static constexpr int kLanes = 4;
  __m256d v;

  Vec() = default;
  Vec(__m256d x) : v(x) {}
  Vec(double x) : v(_mm256_set1_pd(x)) {}
  static Vec set1(double x) { return x; }
  static Vec load(const double* p) { return _mm256_loadu_pd(p); }
  static Vec load_n(const double* p, int n) { return _mm256_maskload_pd(p, first_lanes_64(n)); }
  static void store(double* p, Vec x) { _mm256_storeu_pd(p, x.v); }
  static void stream(double* p, Vec x) { _mm256_stream_pd(p, x.v); }
  static void store_n(double* p, Vec x, int n) {
    if (n >= 4) return store(p, x);
    __m128d rest = _mm256_castpd256_pd128(x.v);
    if (n & 2) {
      _mm_storeu_pd(p, rest);
      rest = _mm256_extractf128_pd(x.v, 1);
      p += 2;
    }
    if (n & 1) _mm_store_sd(p, rest);
  }

  friend Vec operator+(Vec a, Vec b) { return _mm256_add_pd(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm256_sub_pd(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm256_mul_pd(a.v, b.v); }
  friend Vec operator/(Vec a, Vec b) { return _mm256_div_pd(a.v, b.v); }
  friend Vec operator-(Vec a) { return -a.v; }
  friend Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
  friend Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_pd(a.v, b.v, c.v); }
  friend Vec min(Vec a, Vec b) { return _mm256_min_pd(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm256_max_pd(a.v, b.v); }
  friend Vec sqrt(Vec a) { return _mm256_sqrt_pd(a.v); }
  friend Vec abs(Vec a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v); }
  friend Vec copysign(Vec a, Vec b) {
    const Vec sign = -0.0;
    return _mm256_or_pd(_mm256_andnot_pd(sign.v, a.v), _mm256_and_pd(sign.v, b.v));
  }
  friend Vec round(Vec a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  friend Vec floor(Vec a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  friend Vec ceil(Vec a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  friend Vec trunc(Vec a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
  friend Mask<double> operator==(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ))}; }
  friend Mask<double> operator!=(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ))}; }
  friend Mask<double> operator<(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ))}; }
  friend Mask<double> operator<=(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_LE_OQ))}; }
  friend Mask<double> operator>(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ))}; }
  friend Mask<double> operator>=(Vec a, Vec b) { return {_mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_GE_OQ))}; }
  friend Vec select(Mask<double> m, Vec a, Vec b) { return _mm256_blendv_pd(b.v, a.v, _mm256_castsi256_pd(m.v)); }
};

template <>
struct Vec<int32_t> {
  using Scalar = int32_t;
  using Bits = Vec<float>;
  static constexpr int kLanes = 8;
  __m256i v;

  Vec() = default;
  Vec(__m256i x) : v(x) {}
  Vec(int32_t x) : v(_mm256_set1_epi32(x)) {}
  static Vec set1(int32_t x) { return x; }
  static Vec load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Vec load_n(const int32_t* p, int n) { return _mm256_maskload_epi32(p, first_lanes_32(n)); }
  static void store(int32_t* p, Vec x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.v); }
  static void store_n(int32_t* p, Vec x, int n) {
    Vec<float>::store_n(reinterpret_cast<float*>(p), _mm256_castsi256_ps(x.v), n);
  }

  friend Vec operator+(Vec a, Vec b) { return _mm256_add_epi32(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm256_sub_epi32(a.v, b.v); }
  friend Vec operator*(Vec a, Vec b) { return _mm256_mullo_epi32(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm256_sub_epi32(_mm256_setzero_si256(), a.v); }
  friend Vec operator&(Vec a, Vec b) { return _mm256_and_si256(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return _mm256_or_si256(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return _mm256_xor_si256(a.v, b.v); }
  friend Vec shift_left(Vec a, int n) { return _mm256_slli_epi32(a.v, n); }
  friend Vec shift_right(Vec a, int n) { return _mm256_srli_epi32(a.v, n); }
  friend Vec shift_right_signed(Vec a, int n) { return _mm256_srai_epi32(a.v, n); }
  friend Vec min(Vec a, Vec b) { return _mm256_min_epi32(a.v, b.v); }
  friend Vec max(Vec a, Vec b) { return _mm256_max_epi32(a.v, b.v); }
  friend Vec abs(Vec a) { return _mm256_abs_epi32(a.v); }
  friend Mask<int32_t> operator==(Vec a, Vec b) { return {_mm256_cmpeq_epi32(a.v, b.v)}; }
  friend Mask<int32_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int32_t> operator>(Vec a, Vec b) { return {_mm256_cmpgt_epi32(a.v, b.v)}; }
  friend Mask<int32_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int32_t> operator<=(Vec a, Vec b) { return !(a > b); }
  friend Mask<int32_t> operator>=(Vec a, Vec b) { return !(b > a); }
  friend Vec select(Mask<int32_t> m, Vec a, Vec b) { return _mm256_blendv_epi8(b.v, a.v, m.v); }
  friend Bits from_bits(Vec a) { return _mm256_castsi256_ps(a.v); }
};

template <>
struct Vec<int64_t> {
  using Scalar = int64_t;
  using Bits = Vec<double>;
  static constexpr int kLanes = 4;
  __m256i v;

  Vec() = default;
  Vec(__m256i x) : v(x) {}
  Vec(int64_t x) : v(_mm256_set1_epi64x(x)) {}
  static Vec set1(int64_t x) { return x; }
  static Vec load(const int64_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Vec load_n(const int64_t* p, int n) {
    return _mm256_maskload_epi64(reinterpret_cast<const long long*>(p), first_lanes_64(n));
  }
  static void store(int64_t* p, Vec x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.v); }
  static void store_n(int64_t* p, Vec x, int n) {
    Vec<double>::store_n(reinterpret_cast<double*>(p), _mm256_castsi256_pd(x.v), n);
  }

  friend Vec operator+(Vec a, Vec b) { return _mm256_add_epi64(a.v, b.v); }
  friend Vec operator-(Vec a, Vec b) { return _mm256_sub_epi64(a.v, b.v); }
  friend Vec operator-(Vec a) { return _mm256_sub_epi64(_mm256_setzero_si256(), a.v); }
  friend Vec operator&(Vec a, Vec b) { return _mm256_and_si256(a.v, b.v); }
  friend Vec operator|(Vec a, Vec b) { return _mm256_or_si256(a.v, b.v); }
  friend Vec operator^(Vec a, Vec b) { return _mm256_xor_si256(a.v, b.v); }
  friend Vec shift_left(Vec a, int n) { return _mm256_slli_epi64(a.v, n); }
  friend Vec shift_right(Vec a, int n) { return _mm256_srli_epi64(a.v, n); }
  friend Mask<int64_t> operator==(Vec a, Vec b) { return {_mm256_cmpeq_epi64(a.v, b.v)}; }
  friend Mask<int64_t> operator!=(Vec a, Vec b) { return !(a == b); }
  friend Mask<int64_t> operator>(Vec a, Vec b) { return {_mm256_cmpgt_epi64(a.v, b.v)}; }
  friend Mask<int64_t> operator<(Vec a, Vec b) { return b > a; }
  friend Mask<int64_t> operator<=(Vec a, Vec b) { return !(a > b); }
  friend Mask<int64_t> operator>=(Vec a, Vec b) { return !(b > a); }
  friend Vec select(Mask<int64_t> m, Vec a, Vec b) { return _mm256_blendv_epi8(b.v, a.v, m.v); }
  friend Bits from_bits(Vec a) { return _mm256_castsi256_pd(a.v); }
};

inline Vec<int32_t> to_bits(Vec<float> a) { return _mm256_castps_si256(a.v); }
inline Vec<int64_t> to_bits(Vec<double> a) { return _mm256_castpd_si256(a.v); }
inline Vec<float> to_float(Vec<int32_t> a) { return _mm256_cvtepi32_ps(a.v); }
// Ties to even; values that int32 cannot represent become -2^31.
inline Vec<int32_t> to_int(Vec<float> a) { return _mm256_cvtps_epi32(a.v); }

// Reduces all lanes to one value: f folds the second half onto the first until one lane is left.
template <class F>
inline float fold(Vec<float> v, F f) {
  v = f(v, Vec<float>(_mm256_permute2f128_ps(v.v, v.v, 1)));
  v = f(v, Vec<float>(_mm256_shuffle_ps(v.v, v.v, 0x4e)));
  return _mm256_cvtss_f32(f(v, Vec<float>(_mm256_shuffle_ps(v.v, v.v, 0xb1))).v);
}
template <class F>
inline double fold(Vec<double> v, F f) {
  v = f(v, Vec<double>(_mm256_permute2f128_pd(v.v, v.v, 1)));
  return _mm256_cvtsd_f64(f(v, Vec<double>(_mm256_shuffle_pd(v.v, v.v, 0x5))).v);
}

inline Vec<double> low_half(Vec<float> a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a.v)); }
inline Vec<double> high_half(Vec<float> a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1)); }

inline Vec<double> load_double(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
inline Vec<float> load_float(const BFloat16* p) {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}

// f, written for vectors of double, over vectors of float.
template <class F, class... V>
inline Vec<float> in_double(F f, V... x) {
  const __m128 low = _mm256_cvtpd_ps(f(low_half(x)...).v), high = _mm256_cvtpd_ps(f(high_half(x)...).v);
  return _mm256_set_m128(high, low);
}

// low + 2^32 high = a * m, of unsigned numbers.
struct Product {
  Vec<int32_t> high, low;
};
inline Product multiply_wide(Vec<int32_t> a, uint32_t m) {
  const __m256i factor = _mm256_set1_epi64x(m);
  const __m256i even = _mm256_mul_epu32(a.v, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), factor);
  return {_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa),
          _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)};
}

// Of kLanes bytes, 0 or 1; the second argument tells how wide the lanes are.
inline Mask<int32_t> mask_of_bool(const bool* p, Vec<int32_t>) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return {_mm256_cmpgt_epi32(_mm256_cvtepu8_epi32(bytes), _mm256_setzero_si256())};
}
inline Mask<int64_t> mask_of_bool(const bool* p, Vec<int64_t>) {
  int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  return {_mm256_cmpgt_epi64(_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four)), _mm256_setzero_si256())};
}

// v[i] holds value i of each row, one row per lane; as many values as one transposing step yields. Halves of rows
// meet while they are loaded, which saves a third of the shuffles.
template <class T>
constexpr int kGemmTransposed = 16 / sizeof(T);

inline __m128 load_four(const float* p) { return _mm_loadu_ps(p); }
inline __m128 load_four(const BFloat16* p) {
  const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves));
}

template <class S>
inline void load_transposed(Vec<float> (&v)[4], const S* const (&row)[8]) {
  __m256 half[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    half[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(load_four(row[i])), load_four(row[i + 4]), 1);
  const __m256 a = _mm256_unpacklo_ps(half[0], half[1]), b = _mm256_unpackhi_ps(half[0], half[1]);
  const __m256 c = _mm256_unpacklo_ps(half[2], half[3]), d = _mm256_unpackhi_ps(half[2], half[3]);
  v[0] = _mm256_shuffle_ps(a, c, 0x44);
  v[1] = _mm256_shuffle_ps(a, c, 0xee);
  v[2] = _mm256_shuffle_ps(b, d, 0x44);
  v[3] = _mm256_shuffle_ps(b, d, 0xee);
}

inline void load_transposed(Vec<double> (&v)[2], const double* const (&row)[4]) {
  __m256d half[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++)
    half[i] = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(row[i])), _mm_loadu_pd(row[i + 2]), 1);
  v[0] = _mm256_unpacklo_pd(half[0], half[1]);
  v[1] = _mm256_unpackhi_pd(half[0], half[1]);
}

// The register tile of GEMM: 12 of 16 registers hold sums.
constexpr int kGemmRows = 6, kGemmVectors = 2;
constexpr bool kGemmKeepsA = false, kGemmPrefetches = false;
constexpr GemmCaches kGemmCaches = kGemmSmallCaches;
constexpr int64_t kWritePrefetch = 0, kReadPrefetch = 0;

}  // namespace
}  // namespace nabla::NABLA_ISA
