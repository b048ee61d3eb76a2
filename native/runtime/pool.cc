#include "runtime/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "base/leaked.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

#include "base/settings.h"
#include "runtime/cgroup.h"

namespace nabla {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSpinWhereShared = std::chrono::microseconds(1);  // a core that spins is one that somebody waits for
constexpr auto kClose = std::chrono::microseconds(30);           // from one light job to the next
constexpr int kSpinsBeforeYield = 2000;

inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Each thread has a range of the chunks and helps with other ranges when its own is done. So it processes the same
// chunks when a job repeats, and finds their data in its cache.
class Work {
 public:
  Work(ChunkFn fn, void* context, int64_t chunks, int threads)
      : threads_(threads), fn_(fn), context_(context), ranges_(threads < kMaxRanges ? threads : kMaxRanges) {
    for (int r = 0; r < ranges_; r++) {
      range_[r].next.store(chunks * r / ranges_, std::memory_order_relaxed);
      range_[r].end = chunks * (r + 1) / ranges_;
    }
  }

  bool takes(int thread) const { return thread < threads_; }

  // Thread 0 is the caller.
  void run(int thread) {
    for (int i = 0; i < ranges_; i++) {
      Range& range = range_[(thread + i) % ranges_];
      for (;;) {
        const int64_t chunk = range.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= range.end) break;
        fn_(context_, chunk);
      }
    }
  }

 private:
  static constexpr int kMaxRanges = 16;
  struct Range {
    alignas(64) std::atomic<int64_t> next;
    int64_t end;
  };

  int threads_;
  ChunkFn fn_;
  void* context_;
  int ranges_;
  Range range_[kMaxRanges];
};

// The time to wake a sleeping worker, from the call to the worker's first step; measured at each wake-up.
class WakeCost {
 public:
  Clock::duration now() const { return Clock::duration(cost_.load(std::memory_order_relaxed)); }
  void called() { called_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
  void awake(Clock::time_point time) {
    const auto took = time.time_since_epoch().count() - called_.load(std::memory_order_relaxed);
    // Longer times are waits for a core used by others.
    if (took < 0 || took > kMost) return;
    const auto before = cost_.load(std::memory_order_relaxed);
    cost_.store(before + (took - before) / 8, std::memory_order_relaxed);
  }

 private:
  static constexpr Clock::rep kMost = Clock::duration(std::chrono::microseconds(200)).count();
  std::atomic<Clock::rep> cost_{Clock::duration(std::chrono::microseconds(30)).count()}, called_{0};
};

// How long a worker spins before it sleeps: at least the cost of waking it, so that useless spinning costs no more than
// a useless sleep. Doubled after each sleep so short that spinning would have sufficed, as between the kernels of a
// step, and halved after each longer one (like Linux's haltpoll governor).
class Patience {
 public:
  Clock::duration spin(Clock::duration cost) const { return cost * factor_; }
  void slept(Clock::duration time, Clock::duration cost) {
    factor_ = time < kMost * cost ? std::min(2 * factor_, kMost) : std::max(factor_ / 2, 1);
  }

 private:
  static constexpr int kMost = 4;
  int factor_ = 1;
};

// Leaked on purpose: its threads may run until the process ends.
struct Pool {
  alignas(64) std::atomic<uint32_t> epoch{0};
  alignas(64) std::atomic<Work*> job{nullptr};
  alignas(64) std::atomic<int> inside{0};
  alignas(64) std::atomic<int> sleepers{0};
  alignas(64) WakeCost wake;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  // Guarded by busy:
  int started = 0;
  Clock::time_point last_light;
};

Pool& pool() { return leaked<Pool>(); }

thread_local int tl_limit = 0;  // 0: not set
thread_local int tl_index = 0;
thread_local bool tl_in_job = false;

// The number of CPUs that the process may use: affinity and cgroup quota.
int usable_cpus() {
  int cpus = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = CPU_COUNT(&set);
#endif
  static const double quota = std::ceil(group_limits().cpus);
  if (quota < cpus) cpus = static_cast<int>(quota);
  return cpus < 1 ? 1 : (cpus < kMaxThreads ? cpus : kMaxThreads);
}

int detect_pool_size() { return settings().threads > 0 ? std::min(settings().threads, kMaxThreads) : usable_cpus(); }

void worker_main(int index) {
  tl_in_job = true;  // whatever a chunk calls runs inline
  tl_index = index + 1;
  Pool& p = pool();
  uint32_t seen = 0;
  const bool shared = index + 1 >= usable_cpus();
  Patience patience;
  for (;;) {
    const auto deadline = Clock::now() + (shared ? kSpinWhereShared : patience.spin(p.wake.now()));
    uint32_t now;
    for (int spins = 0; (now = p.epoch.load()) == seen; spins++) {
      relax();
      if ((spins & 63) != 63 || Clock::now() < deadline) continue;
      p.sleepers.fetch_add(1);
      const auto start = Clock::now();
      p.epoch.wait(seen);
      const auto end = Clock::now();
      p.sleepers.fetch_sub(1);
      p.wake.awake(end);
      patience.slept(end - start, p.wake.now());
    }
    seen = now;
    // Entering before reading the job and the publisher's clearing the job before reading `inside` (both seq_cst)
    // mean that a worker never holds a job whose caller has left.
    p.inside.fetch_add(1);
    Work* job = p.job.load();
    if (job && job->takes(index + 1)) job->run(index + 1);
    p.inside.fetch_sub(1);
  }
}

void start_workers(Pool& p, int wanted) {
#ifndef _WIN32
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
#endif
  try {
    for (; p.started < wanted; p.started++) std::thread(worker_main, p.started).detach();
  } catch (const std::exception&) {
    // No more threads can be created: the existing ones and the caller do the work.
  }
#ifndef _WIN32
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
#endif
}

}  // namespace

int pool_size() {
  static const int size = detect_pool_size();
  return size;
}

int thread_limit() { return tl_in_job ? 1 : tl_limit > 0 ? tl_limit : pool_size(); }
void set_thread_limit(int n) { tl_limit = std::min(n, kMaxThreads); }
int thread_index() { return tl_index; }

void parallel_for(int64_t chunks, ChunkFn fn, void* context, Job job) {
  if (chunks <= 0) return;
  int threads = thread_limit();
  if (threads > chunks) threads = static_cast<int>(chunks);
  Pool& p = pool();
  const auto run_inline = [&] {
    for (int64_t c = 0; c < chunks; c++) fn(context, c);
  };
  if (threads <= 1 || p.busy.test_and_set(std::memory_order_acquire)) return run_inline();
  if (job == Job::LIGHT && p.sleepers.load() > 0) {
    const auto now = Clock::now();
    const bool alone = now - p.last_light > kClose;
    p.last_light = now;
    if (alone) {
      p.busy.clear(std::memory_order_release);
      return run_inline();
    }
  }
  if (p.started < threads - 1) start_workers(p, threads - 1);
  Work work(fn, context, chunks, threads);
  p.job.store(&work);
  p.epoch.fetch_add(1);
  if (p.sleepers.load() > 0) {
    p.wake.called();
    p.epoch.notify_all();
  }
  tl_in_job = true;
  work.run(0);
  tl_in_job = false;
  p.job.store(nullptr);
  // A worker that is still inside may have lost its core, so yield ours.
  for (int spins = 0; p.inside.load() != 0; spins++)
    if (spins < kSpinsBeforeYield)
      relax();
    else
      std::this_thread::yield();
  p.busy.clear(std::memory_order_release);
}

}  // namespace nabla
