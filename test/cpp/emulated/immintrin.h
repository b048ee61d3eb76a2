// The intrinsics that native/kernels/simd/avx512.h uses, in plain C++ over GCC's vector types, as Intel's manual
// defines them: stands in for the compiler's header, so that the AVX-512 tier runs where no CPU has it. What the manual
// leaves undefined is filled with a pattern that no result may depend on.
#pragma once
#include <cstdint>

typedef float __m512 __attribute__((vector_size(64), may_alias));
typedef double __m512d __attribute__((vector_size(64), may_alias));
typedef long long __m512i __attribute__((vector_size(64), may_alias));
typedef float __m256 __attribute__((vector_size(32), may_alias));
typedef long long __m256i __attribute__((vector_size(32), may_alias));
typedef float __m128 __attribute__((vector_size(16), may_alias));
typedef double __m128d __attribute__((vector_size(16), may_alias));
typedef long long __m128i __attribute__((vector_size(16), may_alias));
typedef uint16_t __mmask16;
typedef uint8_t __mmask8;

enum { _CMP_EQ_OQ, _CMP_NEQ_UQ, _CMP_LT_OQ, _CMP_LE_OQ, _CMP_GT_OQ, _CMP_GE_OQ };
enum {
  _MM_FROUND_TO_NEAREST_INT = 0,
  _MM_FROUND_TO_NEG_INF = 1,
  _MM_FROUND_TO_POS_INF = 2,
  _MM_FROUND_TO_ZERO = 3,
  _MM_FROUND_NO_EXC = 8
};

namespace emulated {
namespace {

typedef int32_t Int32 __attribute__((vector_size(64), may_alias));
typedef uint32_t Uint32 __attribute__((vector_size(64), may_alias));
typedef int64_t Int64 __attribute__((vector_size(64), may_alias));
typedef uint64_t Uint64 __attribute__((vector_size(64), may_alias));

#define EMULATED static inline

template <class To, class From>
EMULATED To as(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  __builtin_memcpy(&y, &x, sizeof y);
  return y;
}

// V with f(i) in lane i.
template <class V, class F>
EMULATED V lanes(F f) {
  V v{};
  constexpr int kCount = sizeof(V) / sizeof(v[0]);
  for (int i = 0; i < kCount; i++) v[i] = f(i);
  return v;
}

// x in every lane: a sum with zero would lose the sign of -0.
template <class V, class T>
EMULATED V filled(T x) {
  return lanes<V>([x](int) { return x; });
}

template <class M, class F>
EMULATED M bits(F f) {
  unsigned m = 0;
  for (int i = 0; i < int(8 * sizeof(M)); i++) m |= unsigned{bool(f(i))} << i;
  return static_cast<M>(m);
}

template <class V>
EMULATED V load(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
EMULATED void store(void* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class V, class T, class M>
EMULATED V load_some(M m, const T* p) {
  return lanes<V>([=](int i) { return m >> i & 1 ? p[i] : T(0); });
}
template <class V, class T, class M>
EMULATED void store_some(T* p, M m, V v) {
  for (int i = 0; i < int(8 * sizeof(M)); i++)
    if (m >> i & 1) p[i] = v[i];
}
template <class V, class M>
EMULATED V blend(M m, V a, V b) {
  return lanes<V>([=](int i) { return m >> i & 1 ? b[i] : a[i]; });
}

// The lower lanes of V are `part`.
template <class V, class Part>
EMULATED V widened(Part part) {
  V v;
  __builtin_memset(&v, 0xcd, sizeof v);
  __builtin_memcpy(&v, &part, sizeof part);
  return v;
}
template <class V, class Part>
EMULATED V inserted(V v, Part part, int at) {
  constexpr int kCount = sizeof(Part) / sizeof(part[0]);
  for (int i = 0; i < kCount; i++) v[at * kCount + i] = part[i];
  return v;
}

template <class M, class V>
EMULATED M compare(V a, V b, int how) {
  return bits<M>([=](int i) {
    switch (how) {
      case _CMP_EQ_OQ: return a[i] == b[i];
      case _CMP_NEQ_UQ: return a[i] != b[i];
      case _CMP_LT_OQ: return a[i] < b[i];
      case _CMP_LE_OQ: return a[i] <= b[i];
      case _CMP_GT_OQ: return a[i] > b[i];
      default: return a[i] >= b[i];
    }
  });
}

EMULATED double rounded(double x, int mode) {
  switch (mode & 3) {
    case _MM_FROUND_TO_NEAREST_INT: return __builtin_rint(x);
    case _MM_FROUND_TO_NEG_INF: return __builtin_floor(x);
    case _MM_FROUND_TO_POS_INF: return __builtin_ceil(x);
    default: return __builtin_trunc(x);
  }
}

// Within each 128 bits of two vectors of `N` lanes there: lane i of the result is from(i), below N of a, else of b.
template <int N, class V, class F>
EMULATED V shuffled(V a, V b, F from) {
  return lanes<V>([=](int i) {
    const int s = from(i % N), base = i / N * N;
    return s < N ? a[base + s] : b[base + s - N];
  });
}

}  // namespace
}  // namespace emulated

#define EACH(V, expression) return emulated::lanes<V>([=](int i) { return expression; })

#define FLOATING(suffix, V, M, T, fma_builtin, sqrt_builtin)                                           \
  EMULATED V _mm512_set1_##suffix(T x) { return emulated::filled<V>(x); }                              \
  EMULATED V _mm512_loadu_##suffix(const void* p) { return emulated::load<V>(p); }                     \
  EMULATED void _mm512_storeu_##suffix(void* p, V v) { emulated::store(p, v); }                        \
  EMULATED void _mm512_stream_##suffix(void* p, V v) { emulated::store(p, v); }                        \
  EMULATED V _mm512_maskz_loadu_##suffix(M m, const T* p) { return emulated::load_some<V>(m, p); }     \
  EMULATED void _mm512_mask_storeu_##suffix(T* p, M m, V v) { emulated::store_some(p, m, v); }         \
  EMULATED V _mm512_add_##suffix(V a, V b) { return a + b; }                                           \
  EMULATED V _mm512_sub_##suffix(V a, V b) { return a - b; }                                           \
  EMULATED V _mm512_mul_##suffix(V a, V b) { return a * b; }                                           \
  EMULATED V _mm512_div_##suffix(V a, V b) { return a / b; }                                           \
  EMULATED V _mm512_xor_##suffix(V a, V b) { return emulated::as<V>(__m512i(a) ^ __m512i(b)); }        \
  EMULATED V _mm512_and_##suffix(V a, V b) { return emulated::as<V>(__m512i(a) & __m512i(b)); }        \
  EMULATED V _mm512_or_##suffix(V a, V b) { return emulated::as<V>(__m512i(a) | __m512i(b)); }         \
  EMULATED V _mm512_andnot_##suffix(V a, V b) { return emulated::as<V>(~__m512i(a) & __m512i(b)); }    \
  EMULATED V _mm512_fmadd_##suffix(V a, V b, V c) { EACH(V, fma_builtin(a[i], b[i], c[i])); }          \
  EMULATED V _mm512_fnmadd_##suffix(V a, V b, V c) { EACH(V, fma_builtin(-a[i], b[i], c[i])); }        \
  EMULATED V _mm512_sqrt_##suffix(V a) { EACH(V, sqrt_builtin(a[i])); }                                \
  EMULATED V _mm512_min_##suffix(V a, V b) { EACH(V, a[i] < b[i] ? a[i] : b[i]); }                     \
  EMULATED V _mm512_max_##suffix(V a, V b) { EACH(V, a[i] > b[i] ? a[i] : b[i]); }                     \
  EMULATED V _mm512_roundscale_##suffix(V a, int mode) { EACH(V, T(emulated::rounded(a[i], mode))); }  \
  EMULATED M _mm512_cmp_##suffix##_mask(V a, V b, int how) { return emulated::compare<M>(a, b, how); } \
  EMULATED V _mm512_mask_blend_##suffix(M m, V a, V b) { return emulated::blend(m, a, b); }            \
  EMULATED __m512i _mm512_cast##suffix##_si512(V a) { return emulated::as<__m512i>(a); }               \
  EMULATED V _mm512_castsi512_##suffix(__m512i a) { return emulated::as<V>(a); }
FLOATING(ps, __m512, __mmask16, float, __builtin_fmaf, __builtin_sqrtf)
FLOATING(pd, __m512d, __mmask8, double, __builtin_fma, __builtin_sqrt)
#undef FLOATING

#define INTEGER(bits, S, U, M, T)                                                                  \
  EMULATED __m512i _mm512_set1_epi##bits(T x) { return emulated::as<__m512i>(emulated::S{} + x); } \
  EMULATED __m512i _mm512_maskz_loadu_epi##bits(M m, const void* p) {                              \
    return emulated::as<__m512i>(emulated::load_some<emulated::S>(m, static_cast<const T*>(p)));   \
  }                                                                                                \
  EMULATED void _mm512_mask_storeu_epi##bits(void* p, M m, __m512i v) {                            \
    emulated::store_some(static_cast<T*>(p), m, emulated::S(v));                                   \
  }                                                                                                \
  EMULATED __m512i _mm512_add_epi##bits(__m512i a, __m512i b) {                                    \
    return emulated::as<__m512i>(emulated::U(a) + emulated::U(b));                                 \
  }                                                                                                \
  EMULATED __m512i _mm512_sub_epi##bits(__m512i a, __m512i b) {                                    \
    return emulated::as<__m512i>(emulated::U(a) - emulated::U(b));                                 \
  }                                                                                                \
  EMULATED __m512i _mm512_slli_epi##bits(__m512i a, unsigned n) {                                  \
    return emulated::as<__m512i>(n < bits ? emulated::U(a) << n : emulated::U{});                  \
  }                                                                                                \
  EMULATED __m512i _mm512_srli_epi##bits(__m512i a, unsigned n) {                                  \
    return emulated::as<__m512i>(n < bits ? emulated::U(a) >> n : emulated::U{});                  \
  }                                                                                                \
  EMULATED M _mm512_cmpeq_epi##bits##_mask(__m512i a, __m512i b) {                                 \
    return emulated::compare<M>(emulated::S(a), emulated::S(b), _CMP_EQ_OQ);                       \
  }                                                                                                \
  EMULATED M _mm512_cmpgt_epi##bits##_mask(__m512i a, __m512i b) {                                 \
    return emulated::compare<M>(emulated::S(a), emulated::S(b), _CMP_GT_OQ);                       \
  }                                                                                                \
  EMULATED __m512i _mm512_mask_blend_epi##bits(M m, __m512i a, __m512i b) {                        \
    return emulated::as<__m512i>(emulated::blend(m, emulated::S(a), emulated::S(b)));              \
  }
INTEGER(32, Int32, Uint32, __mmask16, int32_t)
INTEGER(64, Int64, Uint64, __mmask8, int64_t)
#undef INTEGER

EMULATED __m512i _mm512_loadu_si512(const void* p) { return emulated::load<__m512i>(p); }
EMULATED void _mm512_storeu_si512(void* p, __m512i v) { emulated::store(p, v); }
EMULATED __m512i _mm512_setzero_si512() { return __m512i{}; }
EMULATED __m512i _mm512_and_si512(__m512i a, __m512i b) { return a & b; }
EMULATED __m512i _mm512_or_si512(__m512i a, __m512i b) { return a | b; }
EMULATED __m512i _mm512_xor_si512(__m512i a, __m512i b) { return a ^ b; }
EMULATED __m512i _mm512_mullo_epi32(__m512i a, __m512i b) {
  return emulated::as<__m512i>(emulated::Uint32(a) * emulated::Uint32(b));
}
EMULATED __m512i _mm512_mul_epu32(__m512i a, __m512i b) {
  const auto low = [](__m512i x) { return emulated::Uint64(x) & 0xffffffff; };
  return emulated::as<__m512i>(low(a) * low(b));
}
EMULATED __m512i _mm512_srai_epi32(__m512i a, unsigned n) {
  return emulated::as<__m512i>(emulated::Int32(a) >> (n < 32 ? n : 31));
}
EMULATED __m512i _mm512_min_epi32(__m512i a, __m512i b) {
  const auto x = emulated::as<emulated::Int32>(a), y = emulated::as<emulated::Int32>(b);
  return emulated::as<__m512i>(emulated::lanes<emulated::Int32>([=](int i) { return x[i] < y[i] ? x[i] : y[i]; }));
}
EMULATED __m512i _mm512_max_epi32(__m512i a, __m512i b) {
  const auto x = emulated::as<emulated::Int32>(a), y = emulated::as<emulated::Int32>(b);
  return emulated::as<__m512i>(emulated::lanes<emulated::Int32>([=](int i) { return x[i] > y[i] ? x[i] : y[i]; }));
}
EMULATED __m512i _mm512_abs_epi32(__m512i a) {
  const auto x = emulated::as<emulated::Uint32>(a);
  return emulated::as<__m512i>(emulated::lanes<emulated::Uint32>([=](int i) { return x[i] >> 31 ? 0 - x[i] : x[i]; }));
}

EMULATED __m512 _mm512_cvtepi32_ps(__m512i a) {
  const auto x = emulated::as<emulated::Int32>(a);
  EACH(__m512, static_cast<float>(x[i]));
}
EMULATED __m512i _mm512_cvtps_epi32(__m512 a) {
  return emulated::as<__m512i>(emulated::lanes<emulated::Int32>([=](int i) {
    const double r = emulated::rounded(a[i], _MM_FROUND_TO_NEAREST_INT);
    return r >= -0x1p31 && r < 0x1p31 ? static_cast<int32_t>(r) : INT32_MIN;
  }));
}
EMULATED __m256 _mm256_loadu_ps(const float* p) { EACH(__m256, p[i]); }
EMULATED __m256i _mm256_loadu_si256(const void* p) { return emulated::load<__m256i>(p); }
EMULATED __m512i _mm512_cvtepu16_epi32(__m256i a) {
  typedef uint16_t Halves __attribute__((vector_size(32), may_alias));
  const auto x = emulated::as<Halves>(a);
  return emulated::as<__m512i>(emulated::lanes<emulated::Int32>([=](int i) { return int32_t{x[i]}; }));
}
EMULATED __m512d _mm512_cvtps_pd(__m256 a) { EACH(__m512d, static_cast<double>(a[i])); }
EMULATED __m256 _mm512_cvtpd_ps(__m512d a) { EACH(__m256, static_cast<float>(a[i])); }

EMULATED __m512 _mm512_castps128_ps512(__m128 a) { return emulated::widened<__m512>(a); }
EMULATED __m512 _mm512_castps256_ps512(__m256 a) { return emulated::widened<__m512>(a); }
EMULATED __m512d _mm512_castpd128_pd512(__m128d a) { return emulated::widened<__m512d>(a); }
EMULATED __m256 _mm512_castps512_ps256(__m512 a) { EACH(__m256, a[i]); }
EMULATED __m256 _mm512_extractf32x8_ps(__m512 a, int at) { EACH(__m256, a[8 * at + i]); }
EMULATED __m512 _mm512_insertf32x8(__m512 a, __m256 b, int at) { return emulated::inserted(a, b, at); }
EMULATED __m512 _mm512_insertf32x4(__m512 a, __m128 b, int at) { return emulated::inserted(a, b, at); }
EMULATED __m512d _mm512_insertf64x2(__m512d a, __m128d b, int at) { return emulated::inserted(a, b, at); }

EMULATED __m512 _mm512_unpacklo_ps(__m512 a, __m512 b) {
  return emulated::shuffled<4>(a, b, [](int i) { return i / 2 + i % 2 * 4; });
}
EMULATED __m512 _mm512_unpackhi_ps(__m512 a, __m512 b) {
  return emulated::shuffled<4>(a, b, [](int i) { return 2 + i / 2 + i % 2 * 4; });
}
EMULATED __m512 _mm512_shuffle_ps(__m512 a, __m512 b, int how) {
  return emulated::shuffled<4>(a, b, [how](int i) { return (how >> 2 * i & 3) + i / 2 * 4; });
}
EMULATED __m512d _mm512_unpacklo_pd(__m512d a, __m512d b) {
  return emulated::shuffled<2>(a, b, [](int i) { return i * 2; });
}
EMULATED __m512d _mm512_unpackhi_pd(__m512d a, __m512d b) {
  return emulated::shuffled<2>(a, b, [](int i) { return 1 + i * 2; });
}

EMULATED __m512d _mm512_shuffle_pd(__m512d a, __m512d b, int how) {
  return emulated::lanes<__m512d>([=](int i) { return (i % 2 == 0 ? a : b)[i / 2 * 2 + (how >> i & 1)]; });
}
EMULATED __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, int how) {
  return emulated::lanes<__m512>([=](int i) { return (i < 8 ? a : b)[(how >> i / 4 * 2 & 3) * 4 + i % 4]; });
}
EMULATED __m512d _mm512_shuffle_f64x2(__m512d a, __m512d b, int how) {
  return emulated::lanes<__m512d>([=](int i) { return (i < 4 ? a : b)[(how >> i / 2 * 2 & 3) * 2 + i % 2]; });
}
EMULATED float _mm512_cvtss_f32(__m512 a) { return a[0]; }
EMULATED double _mm512_cvtsd_f64(__m512d a) { return a[0]; }

EMULATED __m128 _mm_loadu_ps(const float* p) { return emulated::load<__m128>(p); }
EMULATED __m128d _mm_loadu_pd(const double* p) { return emulated::load<__m128d>(p); }
EMULATED __m128i _mm_loadu_si128(const void* p) { return emulated::load<__m128i>(p); }
EMULATED __m128i _mm_loadl_epi64(const void* p) { return __m128i{emulated::load<long long>(p), 0}; }
EMULATED __m128i _mm_setzero_si128() { return __m128i{}; }
EMULATED __m128i _mm_unpacklo_epi16(__m128i a, __m128i b) {
  typedef uint16_t Halves __attribute__((vector_size(16), may_alias));
  return emulated::as<__m128i>(emulated::shuffled<8>(Halves(a), Halves(b), [](int i) { return i / 2 + i % 2 * 8; }));
}
EMULATED __m128 _mm_castsi128_ps(__m128i a) { return emulated::as<__m128>(a); }
EMULATED __mmask16 _mm_test_epi8_mask(__m128i a, __m128i b) {
  typedef uint8_t Bytes __attribute__((vector_size(16), may_alias));
  const Bytes both = Bytes(a & b);
  return emulated::bits<__mmask16>([=](int i) { return both[i] != 0; });
}

#undef EACH
#undef EMULATED
