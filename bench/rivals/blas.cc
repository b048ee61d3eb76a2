// Matrix products of OpenBLAS, BLIS and oneDNN: blas M K N TRANS_A TRANS_B THREADS float32|float64 BATCH
#include <cstdlib>

#include "protocol.h"

#if defined(USE_OPENBLAS)
#if __has_include(<cblas-openblas.h>)
#include <cblas-openblas.h>
#else
#include <cblas.h>
#endif
#elif defined(USE_BLIS)
#if __has_include(<blis/blis.h>)
#include <blis/blis.h>
#else
#include <blis.h>
#endif
#elif defined(USE_ONEDNN)
#include <oneapi/dnnl/dnnl.h>
#endif

namespace {

struct Problem {
  int m, k, n;
  bool trans_a, trans_b;
  int threads, batch;
  int lda() const { return trans_a ? m : k; }
  int ldb() const { return trans_b ? k : n; }
};

#if defined(USE_OPENBLAS)
std::string start(int threads) {
  openblas_set_num_threads(threads);
  return std::string(openblas_get_config()) + " on " + openblas_get_corename();
}
CBLAS_TRANSPOSE operation(bool t) { return t ? CblasTrans : CblasNoTrans; }
void multiply(const Problem& p, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, operation(p.trans_a), operation(p.trans_b), p.m, p.n, p.k, 1, a, p.lda(), b, p.ldb(), 0, c, p.n);
}
void multiply(const Problem& p, const double* a, const double* b, double* c) {
  cblas_dgemm(CblasRowMajor, operation(p.trans_a), operation(p.trans_b), p.m, p.n, p.k, 1, a, p.lda(), b, p.ldb(), 0, c, p.n);
}
#elif defined(USE_BLIS)
std::string start(int threads) {
  bli_thread_set_num_threads(threads);
  return std::string(bli_info_get_version_str()) + " on " + bli_arch_string(bli_arch_query_id());
}
trans_t operation(bool t) { return t ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE; }
void multiply(const Problem& p, const float* a, const float* b, float* c) {
  float one = 1, zero = 0;
  bli_sgemm(operation(p.trans_a), operation(p.trans_b), p.m, p.n, p.k, &one, const_cast<float*>(a), p.lda(), 1,
            const_cast<float*>(b), p.ldb(), 1, &zero, c, p.n, 1);
}
void multiply(const Problem& p, const double* a, const double* b, double* c) {
  double one = 1, zero = 0;
  bli_dgemm(operation(p.trans_a), operation(p.trans_b), p.m, p.n, p.k, &one, const_cast<double*>(a), p.lda(), 1,
            const_cast<double*>(b), p.ldb(), 1, &zero, c, p.n, 1);
}
#elif defined(USE_ONEDNN)
std::string start(int) {  // takes its threads from OMP_NUM_THREADS
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}
void multiply(const Problem& p, const float* a, const float* b, float* c) {
  dnnl_sgemm(p.trans_a ? 'T' : 'N', p.trans_b ? 'T' : 'N', p.m, p.n, p.k, 1, a, p.lda(), b, p.ldb(), 0, c, p.n);
}
#endif

template <typename T>
int run(const Problem& p) {
  const int64_t a_size = int64_t{p.m} * p.k, b_size = int64_t{p.k} * p.n, c_size = int64_t{p.m} * p.n;
  const std::vector<float> a_values = uniform(p.batch * a_size, 1), b_values = uniform(p.batch * b_size, 2);
  const std::vector<T> a(a_values.begin(), a_values.end()), b(b_values.begin(), b_values.end());
  std::vector<T> c(p.batch * c_size);
  return serve(start(p.threads), 2.0 * p.batch * c_size * p.k, c, [&](int64_t times) {
    for (int64_t i = 0; i < times; ++i) {
      for (int64_t item = 0; item < p.batch; ++item) {
        multiply(p, a.data() + item * a_size, b.data() + item * b_size, c.data() + item * c_size);
      }
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  const auto number = [&](int i) { return std::atoi(argv[i]); };
  const Problem p = {number(1), number(2), number(3), number(4) != 0, number(5) != 0, number(6), number(8)};
  if (std::string(argv[7]) == "float32") return run<float>(p);
#if defined(USE_ONEDNN)
  std::puts("{\"unsupported\":\"oneDNN multiplies no float64\"}");
  return 0;
#else
  return run<double>(p);
#endif
}
