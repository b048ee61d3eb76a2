// The element types: one list, from which ids, sizes and C++ types follow.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// Two bytes, for storage only: arithmetic on them is float32 (base/half.h).
struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

}  // namespace nabla

// X(id, name, C++ type)
#define NABLA_COMPUTED_DTYPES(X) \
  X(F32, "float32", float)       \
  X(F64, "float64", double)      \
  X(I32, "int32", int32_t)       \
  X(I64, "int64", int64_t)       \
  X(U8, "uint8", uint8_t)        \
  X(BOOL, "bool", bool)
#define NABLA_HALF_DTYPES(X)    \
  X(BF16, "bfloat16", BFloat16) \
  X(F16, "float16", Float16)
#define NABLA_DTYPES(X)    \
  NABLA_COMPUTED_DTYPES(X) \
  NABLA_HALF_DTYPES(X)

namespace nabla {

enum class DType : int32_t {
#define X(id, name, type) id,
  NABLA_DTYPES(X)
#undef X
};

#define X(id, name, type) +1
constexpr int kDTypeCount = 0 NABLA_DTYPES(X);
#undef X

constexpr const char* kDTypeNames[kDTypeCount] = {
#define X(id, name, type) name,
    NABLA_DTYPES(X)
#undef X
};

constexpr size_t kDTypeSizes[kDTypeCount] = {
#define X(id, name, type) sizeof(type),
    NABLA_DTYPES(X)
#undef X
};

constexpr size_t size_of(DType t) { return kDTypeSizes[static_cast<int>(t)]; }
// The float types that kernels compute in.
constexpr bool is_float(DType t) { return t == DType::F32 || t == DType::F64; }
constexpr bool is_half(DType t) { return t == DType::BF16 || t == DType::F16; }

template <class T>
struct DTypeOf;
#define X(id, name, type)                     \
  template <>                                 \
  struct DTypeOf<type> {                      \
    static constexpr DType value = DType::id; \
  };
NABLA_DTYPES(X)
#undef X

}  // namespace nabla
