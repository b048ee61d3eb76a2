// Which way large and small products are cut: what no result shows, as its bits are the same any way.
#include "check.h"
#include "exec/gemm_plan.h"

namespace nabla::test {
namespace {

GemmPlan plan_of(int64_t size) {
  const GemmProblem<float> p{size, size, size, nullptr, size, 1, nullptr, size, 1, nullptr, size};
  return plan_gemm(p, 6, 16);
}

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
  CHECK(plan_of(2048).region_depth == kRegionDepth, "2048: the whole depth of a region");
  CHECK(plan_of(4096).region_depth == kRegionDepth / 2 && plan_of(4096).region_cols == 4096, "4096: B packed once");
}

}  // namespace nabla::test
