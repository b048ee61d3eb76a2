// The element types: one list, from which ids, sizes and C++ types follow.
#pragma once
#include <cstddef>
#include <cstdint>

// X(id, name, C++ type)
#define NABLA_DTYPES(X)     \
  X(F32, "float32", float)  \
  X(F64, "float64", double) \
  X(I32, "int32", int32_t)  \
  X(I64, "int64", int64_t)  \
  X(U8, "uint8", uint8_t)   \
  X(BOOL, "bool", bool)

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
constexpr bool is_float(DType t) { return t == DType::F32 || t == DType::F64; }

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
