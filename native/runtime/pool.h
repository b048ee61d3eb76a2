// The process-wide thread pool. The caller takes part; if the pool is busy, or the call is nested, work runs inline.
#pragma once
#include <cstdint>
#include <type_traits>

namespace nabla {

constexpr int kMaxThreads = 256;

using ChunkFn = void (*)(void* context, int64_t chunk);

// Runs fn(context, c) for every c in [0, chunks), each exactly once, and returns when all have ended. Chunks must
// depend on the shape alone: which thread runs one varies, and results must not depend on it. A LIGHT job ends before a
// sleeping worker is awake, so it wakes one only if such jobs follow each other closely.
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

// Of the calling thread: 0, or from 1 to kMaxThreads - 1 for those of the pool.
int thread_index();
// The number of threads that the calling thread may use, itself included; 1, as inside a chunk, means inline.
int thread_limit();
void set_thread_limit(int n);
// The number of threads of the pool, the caller included: affinity and cgroup quota, or NABLA_NUM_THREADS.
int pool_size();

}  // namespace nabla
