// Which way large and small products are cut: what no result shows, as its bits are the same any way.
#include "check.h"
#include "exec/matmul/gemm_plan.h"

namespace nabla::test {
namespace {

GemmPlan plan_of(int64_t m, int64_t n, int64_t k, int64_t threads, const GemmCaches& caches = kGemmSmallCaches) {
  GemmKernels<float> kernels{};
  kernels.mr = 6;
  kernels.nr = 16;
  kernels.caches = caches;
  const GemmProblem<float> p{m, n, k, nullptr, k, 1, nullptr, n, 1, nullptr, n};
  return plan_gemm(p, kernels, threads);
}
GemmPlan plan_of(int64_t size) { return plan_of(size, size, size, 16); }

int64_t tasks_of(const GemmPlan& plan) {
  return count(plan.region_rows, plan.task_rows) * count(plan.region_cols, plan.task_cols);
}

}  // namespace

void test_plans() {
  CHECK(!plan_of(48).parallel, "48: on one thread");
  CHECK(plan_of(64).parallel && plan_of(64).light && tasks_of(plan_of(64)) == 2, "64: two light halves");
  CHECK(plan_of(256).parallel && !plan_of(256).light, "256: wakes who sleeps");
  CHECK(plan_of(1024).task_rows == kTaskRows, "1024: many tasks");
  CHECK(plan_of(2048).task_rows == 2 * kTaskRows, "2048: tall tasks");
  const int64_t depth = kGemmSmallCaches.region_depth;
  CHECK(plan_of(2048).region_depth == depth, "2048: the whole depth of a region");
  CHECK(plan_of(4096).region_depth == depth / 2 && plan_of(4096).region_cols == 4096, "4096: B packed once");
  const GemmPlan alone = plan_of(256, 256, 256, 1), two = plan_of(256, 256, 256, 2);
  CHECK(alone.stream_b && !alone.parallel && alone.task_rows >= 256, "256 on one thread: B packed once");
  CHECK(two.parallel && tasks_of(two) >= 8 && tasks_of(two) < tasks_of(plan_of(256)), "256: tasks by threads");
  CHECK(plan_of(12288, 12288, 512, 2, kGemmLargeCaches).region_depth == kGemmDepth, "sums end where a region does");
  CHECK(!plan_of(64, 768, 768, 2, kGemmLargeCaches).pack_b, "64 rows: B as it stands");
  const auto one_pass = [](int64_t m, int64_t n, const GemmCaches& caches) {
    return vector_pays(GemmProblem<float>{m, n, 768, nullptr, 768, 1, nullptr, n, 1, nullptr, n}, caches);
  };
  CHECK(one_pass(4, 3072, kGemmLargeCaches) && !one_pass(5, 3072, kGemmLargeCaches), "the tile from 5 rows on");
  CHECK(one_pass(8, 3072, kGemmSmallCaches) && !one_pass(5, 3000, kGemmSmallCaches), "from 9 over rows that crowd");
  CHECK(plan_of(64, 3072, 1024, 2).pack_b, "64 rows over rows that crowd: B packed");
}

}  // namespace nabla::test
