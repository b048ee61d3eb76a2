// Matrix multiplication against OpenBLAS: GFLOP/s at the median and at the best sample (the second is what a machine
// shared with others still lets one see).
//   gemm_bench [f32|f64] [threads] [filter] [nabla|openblas]
// With one thread both run in turn, call by call. With more, name one contender and run the processes in turn: the
// workers of either go on spinning after a call and take the cores from the other.
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "exec/matmul/gemm.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

extern "C" void openblas_set_num_threads(int);
extern "C" char* openblas_get_corename();

namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  const char* layout;  // of A and B: N in rows, T in columns
  int64_t m, n, k;
};

const Case kCases[] = {
    {"NN", 16, 16, 16},       {"NN", 32, 32, 32},       {"NN", 64, 64, 64},       {"NN", 128, 128, 128},
    {"NN", 256, 256, 256},    {"NN", 512, 512, 512},    {"NN", 1024, 1024, 1024}, {"NT", 1024, 1024, 1024},
    {"TN", 1024, 1024, 1024}, {"NN", 2048, 2048, 2048}, {"NN", 1000, 1000, 1000}, {"NN", 32, 16, 2},
    {"NN", 32, 1, 16},        {"NN", 128, 512, 784},    {"NT", 128, 512, 784},    {"TN", 784, 512, 128},
    {"NT", 128, 784, 512},    {"TN", 512, 784, 128},    {"NN", 128, 256, 512},    {"NT", 128, 256, 512},
    {"TN", 512, 256, 128},    {"NT", 128, 512, 256},    {"NN", 128, 10, 256},     {"NT", 128, 10, 256},
    {"TN", 256, 10, 128},     {"NT", 128, 256, 10},     {"NN", 1024, 512, 784},   {"NT", 1024, 512, 784},
    {"TN", 784, 512, 1024},   {"NT", 1024, 784, 512},   {"NN", 1024, 256, 512},   {"NT", 1024, 256, 512},
    {"TN", 512, 256, 1024},   {"NT", 1024, 512, 256},   {"NN", 1024, 10, 256},    {"NT", 1024, 10, 256},
    {"TN", 256, 10, 1024},    {"NT", 1024, 256, 10},    {"NN", 6, 512, 512},      {"NT", 6, 512, 512},
    {"NN", 2, 512, 512},      {"NT", 2, 512, 512},      {"NN", 1, 1024, 1024},    {"NT", 1, 1024, 1024},
    {"NN", 1, 4096, 4096},    {"NT", 1, 4096, 4096},    {"NN", 1024, 1, 1024},    {"TN", 1024, 1, 1024}};

double seconds(Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); }

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + v.size() / 2, v.end());
  return v[v.size() / 2];
}

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, const Case& s, const float* a, int lda, const float* b, int ldb,
          float* c) {
  cblas_sgemm(CblasRowMajor, ta, tb, s.m, s.n, s.k, 1, a, lda, b, ldb, 0, c, s.n);
}
void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, const Case& s, const double* a, int lda, const double* b, int ldb,
          double* c) {
  cblas_dgemm(CblasRowMajor, ta, tb, s.m, s.n, s.k, 1, a, lda, b, ldb, 0, c, s.n);
}

template <class T>
T* random_values(int64_t n) {
  T* p = static_cast<T*>(nabla::allocate(static_cast<size_t>(n) * sizeof(T)));
  for (int64_t i = 0; i < n; i++) p[i] = static_cast<T>(std::rand()) / static_cast<T>(RAND_MAX) - T(0.5);
  return p;
}

template <class T>
void run(const Case& s, int threads, const std::string& only) {
  const bool ta = s.layout[0] == 'T', tb = s.layout[1] == 'T';
  T *a = random_values<T>(s.m * s.k), *b = random_values<T>(s.k * s.n);
  T *ours = random_values<T>(s.m * s.n), *theirs = random_values<T>(s.m * s.n);
  const nabla::Matrix ma = ta ? nabla::Matrix{a, 1, s.m} : nabla::Matrix{a, s.k, 1};
  const nabla::Matrix mb = tb ? nabla::Matrix{b, 1, s.k} : nabla::Matrix{b, s.n, 1};
  const auto nabla_call = [&] { (void)nabla::gemm(nabla::DTypeOf<T>::value, s.m, s.n, s.k, ma, mb, ours, s.n); };
  const auto blas_call = [&] {
    blas(ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, s, a, static_cast<int>(ta ? s.m : s.k), b,
         static_cast<int>(tb ? s.k : s.n), theirs);
  };
  const double flops = 2.0 * static_cast<double>(s.m * s.n) * static_cast<double>(s.k);
  const int calls = std::max(1, static_cast<int>(2e7 / flops));
  const auto time = [&](auto&& call) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; i++) call();
    return seconds(start) / calls;
  };
  const bool use_nabla = only != "openblas", use_blas = only != "nabla";
  std::vector<double> mine, other;
  if (use_nabla) time(nabla_call);
  if (use_blas) time(blas_call);
  const auto start = Clock::now();
  while (seconds(start) < 0.5 || mine.size() + other.size() < 10) {
    if (use_nabla) mine.push_back(time(nabla_call));
    if (use_blas) other.push_back(time(blas_call));
  }
  std::printf("%s %5ld %5ld %5ld  t%d", s.layout, long(s.m), long(s.n), long(s.k), threads);
  const auto report = [&](const char* name, const std::vector<double>& times) {
    const double best = *std::min_element(times.begin(), times.end());
    std::printf("  %s %6.1f best %6.1f (%9.2f us)", name, flops / median(times) / 1e9, flops / best / 1e9, best * 1e6);
  };
  if (use_nabla) report("nabla", mine);
  if (use_blas) report("openblas", other);
  if (use_nabla && use_blas) {
    std::vector<double> ratio;
    for (size_t i = 0; i < mine.size(); i++) ratio.push_back(other[i] / mine[i]);
    double worst = 0;
    for (int64_t i = 0; i < s.m * s.n; i++) worst = std::max(worst, static_cast<double>(std::abs(ours[i] - theirs[i])));
    std::printf("  ratio %.2f%s", median(ratio), worst > 1e-2 ? "  DIFFERENT" : "");
  }
  std::printf("\n");
  std::fflush(stdout);
  nabla::deallocate(a, static_cast<size_t>(s.m * s.k) * sizeof(T));
  nabla::deallocate(b, static_cast<size_t>(s.k * s.n) * sizeof(T));
  nabla::deallocate(ours, static_cast<size_t>(s.m * s.n) * sizeof(T));
  nabla::deallocate(theirs, static_cast<size_t>(s.m * s.n) * sizeof(T));
}

}  // namespace

int main(int argc, char** argv) {
  const bool f64 = argc > 1 && std::strcmp(argv[1], "f64") == 0;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string filter = argc > 3 ? argv[3] : "";
  const std::string only = argc > 4 ? argv[4] : "";
  openblas_set_num_threads(threads);
  nabla::set_thread_limit(threads);
  std::printf("%s, OpenBLAS core %s\n", f64 ? "float64" : "float32", openblas_get_corename());
  for (const Case& s : kCases) {
    const std::string name =
        std::string(s.layout) + " " + std::to_string(s.m) + " " + std::to_string(s.n) + " " + std::to_string(s.k);
    if (name.find(filter) == std::string::npos) continue;
    if (f64) {
      run<double>(s, threads, only);
    } else {
      run<float>(s, threads, only);
    }
  }
}
