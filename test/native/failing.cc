// For tests: an add-on some of whose allocations fail, and that counts those of the drivers. This stands between it and
// the C library, and between its parts.
#include <napi.h>
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>

#include "binding/environment.h"
#include "runtime/memory.h"

namespace {

std::atomic<int64_t> made{0};
std::atomic<int64_t> failing{0};  // 0: none
std::atomic<bool> for_good{false};
std::atomic<bool> driver_runs{false};
std::atomic<int64_t> by_drivers{0};

bool fails() {
  if (driver_runs.load()) by_drivers.fetch_add(1);
  const int64_t number = made.fetch_add(1) + 1, first = failing.load();
  return first > 0 && (number == first || (number > first && for_good.load()));
}

}  // namespace

// The linker's --wrap sends every call of the add-on, the C++ runtime in it included, here.
extern "C" {
void* __real_malloc(size_t);
void* __real_calloc(size_t, size_t);
void* __real_realloc(void*, size_t);
void* __real_aligned_alloc(size_t, size_t);
void* __real_mmap(void*, size_t, int, int, int, off_t);
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

void* __wrap_malloc(size_t bytes) { return fails() ? nullptr : __real_malloc(bytes); }
void* __wrap_calloc(size_t n, size_t bytes) { return fails() ? nullptr : __real_calloc(n, bytes); }
void* __wrap_realloc(void* block, size_t bytes) { return fails() ? nullptr : __real_realloc(block, bytes); }
void* __wrap_aligned_alloc(size_t align, size_t bytes) {
  return fails() ? nullptr : __real_aligned_alloc(align, bytes);
}
void* __wrap_mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  return fails() ? MAP_FAILED : __real_mmap(at, bytes, protection, flags, file, offset);
}

// nabla::allocate and nabla::run. A cached block is an allocation too: another thread might have taken it.
void* __real__ZN5nabla8allocateEm(size_t);
nabla::Status __real__ZN5nabla3runERKNS_4CallE(const nabla::Call&);

void* __wrap__ZN5nabla8allocateEm(size_t bytes) {
  if (driver_runs.load()) by_drivers.fetch_add(1);
  return __real__ZN5nabla8allocateEm(bytes);
}
nabla::Status __wrap__ZN5nabla3runERKNS_4CallE(const nabla::Call& call) {
  driver_runs.store(true);
  const nabla::Status status = __real__ZN5nabla3runERKNS_4CallE(call);
  driver_runs.store(false);
  return status;
}

int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attr, void* (*run)(void*), void* arg) {
  return fails() ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}
}

namespace nabla {

// failAllocation(n, forGood): the n-th allocation from now on fails, and with `forGood` every one after it; with n = 0
// none does. Returns how many there have been since the last call. Gives back scratch and cached blocks first, so that
// what follows has to allocate.
Napi::Value fail_allocation(const Napi::CallbackInfo& info) {
  failing.store(0);
  const int64_t before = made.load();
  static_cast<Environment*>(info.Data())->workspace.release();
  trim_memory();
  for_good.store(info.Length() > 1 && info[1].ToBoolean());
  const int64_t n = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : 0;
  made.store(0);
  failing.store(n);
  return Napi::Number::New(info.Env(), static_cast<double>(before));
}

// driverAllocations(): how many allocations drivers have made since the last call of this.
Napi::Value driver_allocations(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(by_drivers.exchange(0)));
}

}  // namespace nabla
