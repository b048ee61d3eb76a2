// list.def for C++: the numbers and properties of its kernels. Whatever includes this is compiled again for each line
// of the list, and states in a ListStamp which list it was compiled with; `npm run check` limits how many objects do.
#pragma once
#include <cstdint>

#include "kernels/elementwise.h"
#include "kernels/stamp.h"

namespace nabla {

enum class Elementwise : int32_t {
#define ELEMENTWISE(name, Functor, arity, domain, result) name,
#include "kernels/list.def"
};

struct ElementwiseInfo {
  const char* name;
  int arity;
  Domain domain;
  Result result;
};

constexpr ElementwiseInfo kElementwise[] = {
#define ELEMENTWISE(name, Functor, arity, domain, result) {#name, arity, Domain::domain, Result::result},
#include "kernels/list.def"
};
constexpr int kElementwiseCount = sizeof(kElementwise) / sizeof(kElementwise[0]);

constexpr bool can_stream(int kernel, DType t) {
  return is_float(t) && kElementwise[kernel].result == Result::SAME && kernel != static_cast<int>(Elementwise::where);
}

enum class Reduce : int32_t {
#define REDUCE(name, Functor, domain) name,
#include "kernels/list.def"
};
enum class ArgReduce : int32_t {
#define ARG_REDUCE(name, Functor) name,
#include "kernels/list.def"
};

struct ReduceInfo {
  const char* name;
  Domain domain;
};
constexpr ReduceInfo kReduce[] = {
#define REDUCE(name, Functor, domain) {#name, Domain::domain},
#include "kernels/list.def"
};
constexpr int kReduceCount = sizeof(kReduce) / sizeof(kReduce[0]);
constexpr const char* kArgReduce[] = {
#define ARG_REDUCE(name, Functor) #name,
#include "kernels/list.def"
};
constexpr int kArgReduceCount = sizeof(kArgReduce) / sizeof(kArgReduce[0]);

enum class Optimizer : int32_t {
#define OPTIMIZER(name, Functor, least, most, numbers) name,
#include "kernels/list.def"
};

struct OptimizerInfo {
  const char* name;
  int least, most;  // buffers of a parameter
  int numbers;
};

constexpr OptimizerInfo kOptimizers[] = {
#define OPTIMIZER(name, Functor, least, most, numbers) {#name, least, most, numbers},
#include "kernels/list.def"
};
constexpr int kOptimizerCount = sizeof kOptimizers / sizeof *kOptimizers;

constexpr uint64_t fnv1a(const char* text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *text; text++) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100000001b3;
  return hash;
}

constexpr uint64_t kListHash = fnv1a(
#define ELEMENTWISE(...) "ELEMENTWISE(" #__VA_ARGS__ ")"
#define REDUCE(...) "REDUCE(" #__VA_ARGS__ ")"
#define ARG_REDUCE(...) "ARG_REDUCE(" #__VA_ARGS__ ")"
#define OPTIMIZER(...) "OPTIMIZER(" #__VA_ARGS__ ")"
#define KERNEL(...) "KERNEL(" #__VA_ARGS__ ")"
#define HALVES(...) "HALVES(" #__VA_ARGS__ ")"
#include "kernels/list.def"
);

}  // namespace nabla
