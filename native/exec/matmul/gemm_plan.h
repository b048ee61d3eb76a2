// How a product is split into tasks. The plan never changes the result: kernels/gemm.h defines the order of sums.
#pragma once
#include <cstdint>

#include "kernels/gemm.h"

namespace nabla {

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
// The number of pieces of `size` that cover n, and the length they cover.
inline int64_t count(int64_t n, int64_t size) { return (n + size - 1) / size; }
inline int64_t round_up(int64_t n, int64_t size) { return count(n, size) * size; }

constexpr int64_t kTaskWork = int64_t{1} << 19;   // multiply-adds that pay for a hand-over to another thread
constexpr int64_t kHalfWork = int64_t{1} << 17;   // those of each half of a product that is cut only once
constexpr int64_t kMaxTasks = 16;                 // as many as a split for the sake of threads alone makes
constexpr int64_t kThreadTasks = 4;               // for each of them, so that they end together
constexpr int64_t kTaskRows = 144;                // rows x depth of packed A stay in L2
constexpr int64_t kStreamRows = 288;              // up to so many rows each task packs its own columns of B
constexpr int64_t kStreamCols = 64;    // at a time; twice as many where B is stored in rows, for longer runs
constexpr int64_t kRegionElements = int64_t{9} << 18;  // packed at a time, of A and of B each
constexpr int64_t kRegionDepth = 4 * kGemmDepth;        // where tasks share no panels of B
constexpr int64_t kSmallOperand = 32 << 10;  // bytes of A that stay as they are in any layout

inline int64_t tasks_for(int threads) { return threads > 1 ? smaller(kThreadTasks * threads, kMaxTasks) : 1; }

struct GemmPlan {
  bool pack_a, pack_b;
  // Each task packs the B that it uses, in pieces that fit L2: few or no tasks share columns.
  bool stream_b;
  bool parallel;
  bool light;  // done sooner than a sleeping thread wakes
  // Packed at a time. Rows and columns are multiples of the register tile, or all there are.
  int64_t region_rows, region_cols, region_depth;
  // Multiplied at a time by one thread.
  int64_t task_rows, task_cols;
};

// Whether elements are converted while they are read.
template <class T, class S>
constexpr bool kGemmConverts = !__is_same(T, S);

// Packing pays only if the packed data is used often enough and would not stay in the cache unpacked.
template <class T, class A, class B>
bool pack_b_pays(const GemmProblem<T, A, B>& p, int64_t mr, const GemmCaches& caches) {
  if (kGemmConverts<T, B> || p.b_col != 1) return true;  // the register tile reads rows of T
  if (p.n * p.k * static_cast<int64_t>(sizeof(T)) <= caches.near_bytes) return p.m > caches.near_rows;
  // Rows that map to few sets of the L1 cache evict each other before the next panel of A uses them.
  const bool crowded = p.k > 32 && p.b_k * static_cast<int64_t>(sizeof(T)) % 1024 == 0;
  return p.m > (crowded ? caches.crowded_tiles * mr : caches.far_rows);
}

template <class T, class A, class B>
bool pack_a_pays(const GemmProblem<T, A, B>& p, int64_t nr, const GemmCaches& caches) {
  if (kGemmConverts<T, A>) return true;
  const int64_t bytes = p.m * p.k * static_cast<int64_t>(sizeof(T));
  if (p.a_k == 1) return p.n > 8 * nr && bytes > caches.loose_bytes;
  return p.n > 2 * nr && (p.a_row != 1 || bytes > kSmallOperand);
}

// The number of tasks for so many threads: more than threads, so that these finish together.
template <class T, class A, class B>
GemmPlan plan_gemm(const GemmProblem<T, A, B>& p, const GemmKernels<T>& kernels, int64_t threads) {
  const int64_t mr = kernels.mr, nr = kernels.nr;
  const GemmCaches& caches = kernels.caches;
  GemmPlan plan;
  plan.pack_a = pack_a_pays(p, nr, caches);
  plan.pack_b = pack_b_pays(p, mr, caches);
  plan.stream_b = plan.pack_b && p.m <= kStreamRows;
  // If all tasks share the panels of B, a region's depth suits the caches. Splitting rows or columns packs the other
  // operand once more, which half the depth may avoid.
  const bool shared = plan.pack_b && !plan.stream_b;
  int64_t depth = shared ? caches.region_depth : kRegionDepth;
  const int64_t widest = larger(plan.pack_a ? p.m : 0, shared ? p.n : 0), half = depth / 2;
  if (half >= kGemmDepth && widest > kRegionElements / depth && widest <= kRegionElements / half) depth = half;
  plan.region_depth = larger(smaller(p.k, depth), 1);
  const int64_t across = kRegionElements / plan.region_depth;
  plan.region_rows = plan.pack_a ? smaller(p.m, across / mr * mr) : p.m;
  plan.region_cols = shared ? smaller(p.n, across / nr * nr) : p.n;

  const double work = static_cast<double>(plan.region_rows) * plan.region_cols * plan.region_depth / kTaskWork;
  const int64_t least = work * kTaskWork >= 2 * kHalfWork ? 2 : 1;
  const int64_t most = tasks_for(threads);
  const int64_t wanted = work < most ? larger(static_cast<int64_t>(work), least) : most;
  plan.parallel = wanted > 1;
  plan.light = work < 2;
  // A product of small depth has taller tasks: as much of A as fits the cache.
  int64_t rows = round_up(kTaskRows * kGemmDepth / smaller(plan.region_depth, kGemmDepth), mr);
  if (plan.stream_b) rows = larger(rows, kStreamRows);
  // Taller tasks read B from L3 less often, but finishing together needs many tasks.
  const int64_t tall = caches.tall_bytes / static_cast<int64_t>(kGemmDepth * sizeof(T)) / mr * mr;
  if (count(plan.region_rows, tall) * count(plan.region_cols, caches.task_cols) >= 2 * most) rows = larger(rows, tall);
  int64_t cols = round_up(plan.stream_b ? (p.b_col == 1 ? 2 * kStreamCols : kStreamCols) : caches.task_cols, nr);
  rows = smaller(rows, round_up(plan.region_rows, mr));
  cols = smaller(cols, round_up(plan.region_cols, nr));
  while (count(plan.region_rows, rows) * count(plan.region_cols, cols) < wanted) {
    if ((cols > rows || plan.stream_b) && cols > 2 * nr) {
      cols = round_up(cols / 2, nr);
    } else if (rows > mr) {
      rows = round_up(rows / 2, mr);
    } else {
      break;
    }
  }
  plan.task_rows = rows;
  plan.task_cols = cols;
  return plan;
}

// Whether one pass over B for all rows beats the register tile, which walks down a strip of B for each panel of rows:
// where there are columns to transpose, or where the lines of such a strip all crowd into the same cache sets.
template <class T, class A, class B>
bool vector_pays(const GemmProblem<T, A, B>& p, const GemmCaches& caches) {
  if (gemm_takes_dots(p.m, p.n, p.k, p.a_k, p.b_k)) return p.n > 1;
  if (p.b_col != 1) return p.b_k == 1 && p.m <= kGemmVectorRows;
  return p.m <= (p.b_k * static_cast<int64_t>(sizeof(B)) % 4096 == 0 ? caches.crowded_rows : kGemmVectorRows / 2);
}

// Columns per thread in a product of few rows; a B stored in rows is read in long runs.
inline int64_t plan_vector(int64_t n, int64_t k, bool rows) {
  constexpr int64_t kWork = 1 << 16, kColumns = 64, kRun = 512;
  const int64_t tasks = smaller(n * k / kWork, smaller(kMaxTasks, rows ? larger(n / kRun, 2) : kMaxTasks));
  return round_up(count(n, larger(tasks, 1)), kColumns);
}

// Rows per thread in an integer product.
inline int64_t plan_integer(int64_t m, int64_t n, int64_t k) {
  return larger(smaller(kTaskWork / larger(n * k, 1), m), 1);
}

// Batch items per thread; all of them if each item is itself split among threads.
inline int64_t plan_batch(int64_t items, int64_t m, int64_t n, int64_t k) {
  const int64_t work = larger(m * n * k, 1);
  return work >= 2 * kTaskWork ? items : smaller(items, count(kTaskWork, work));
}

}  // namespace nabla
