// The environment variables that native code uses, read once per process.
#pragma once
#include <cstdint>

namespace nabla {

struct Settings {
  int64_t memory_limit = 0;  // NABLA_MEMORY_LIMIT in bytes; 0 where it is not set
  int threads = 0;           // NABLA_NUM_THREADS; 0 where it is not set
  char isa[16] = "";         // NABLA_ISA, cut; kernels/select.cc knows the names
};
const Settings& settings();

// The first variable with an invalid value, and what is allowed; `variable` is nullptr if there is none.
struct UnusableSetting {
  const char* variable = nullptr;
  const char* valid = "";
};
UnusableSetting unusable_setting();

// 1048576, 1024k, 1.5 GB, 2t: a positive number of bytes, or of powers of 1024 of them.
bool parse_bytes(const char* text, int64_t& bytes);
// An integer of at least 1.
bool parse_count(const char* text, int& count);

}  // namespace nabla
