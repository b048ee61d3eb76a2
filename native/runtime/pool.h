// The process-wide thread pool. The caller takes part; a busy pool or a nested call runs inline.
#pragma once
#include <cstdint>
#include <type_traits>

namespace nabla {

using ChunkFn = void (*)(void* context, int64_t chunk);

// Runs fn(context, c) for every c in [0, chunks), each exactly once, and returns when all have ended.
// Chunks must be cut by shape alone: which thread runs one is not fixed, and the result must not depend on it.
// A LIGHT job is over before a sleeping worker is awake: it wakes one only where such jobs follow each other closely.
enum class Job { HEAVY, LIGHT };
void parallel_for(int64_t chunks, ChunkFn fn, void* context, Job job = Job::HEAVY);

template <class F>
void parallel_for(int64_t chunks, F&& body, Job job = Job::HEAVY) {
  if (chunks == 1) {
    body(int64_t{0});
    return;
  }
  parallel_for(
      chunks, [](void* context, int64_t chunk) { (*static_cast<std::remove_reference_t<F>*>(context))(chunk); },
      const_cast<void*>(static_cast<const void*>(&body)), job);
}

// Threads the calling thread may use, itself included; 1, which a chunk of a job always has, means inline.
int thread_limit();
void set_thread_limit(int n);
// Threads the pool can give, the caller included: affinity and cgroup quota, or NABLA_NUM_THREADS.
int pool_size();

}  // namespace nabla
