// Which list.def an object was compiled with. Objects compiled with different lists number the kernels differently, so
// exec/registry.h compares the stamps when the library is loaded.
#pragma once
#include <cstdint>

namespace nabla {

struct ListStamp {
  const char* source;
  uint64_t hash;  // kListHash of list.h
};

}  // namespace nabla
