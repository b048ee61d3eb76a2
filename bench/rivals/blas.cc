// Matrix products of OpenBLAS, BLIS and oneDNN: blas M K N TRANS_A TRANS_B THREADS
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

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const int m = std::atoi(argv[1]), k = std::atoi(argv[2]), n = std::atoi(argv[3]);
  const bool trans_a = std::atoi(argv[4]), trans_b = std::atoi(argv[5]);
  const int lda = trans_a ? m : k, ldb = trans_b ? k : n;
  const std::vector<float> a = uniform(int64_t{m} * k, 1), b = uniform(int64_t{k} * n, 2);
  std::vector<float> c(int64_t{m} * n);
#if defined(USE_OPENBLAS)
  openblas_set_num_threads(std::atoi(argv[6]));
  const std::string version = std::string(openblas_get_config()) + " on " + openblas_get_corename();
  const auto multiply = [&] {
    cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, trans_b ? CblasTrans : CblasNoTrans, m, n, k, 1,
                a.data(), lda, b.data(), ldb, 0, c.data(), n);
  };
#elif defined(USE_BLIS)
  bli_thread_set_num_threads(std::atoi(argv[6]));
  const std::string version = std::string(bli_info_get_version_str()) + " on " + bli_arch_string(bli_arch_query_id());
  float one = 1, zero = 0;
  const auto multiply = [&] {
    bli_sgemm(trans_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, trans_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, m, n, k, &one,
              const_cast<float*>(a.data()), lda, 1, const_cast<float*>(b.data()), ldb, 1, &zero, c.data(), n, 1);
  };
#elif defined(USE_ONEDNN)  // takes its threads from OMP_NUM_THREADS
  const dnnl_version_t* v = dnnl_version();
  const std::string version =
      std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  const auto multiply = [&] {
    dnnl_sgemm(trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', m, n, k, 1, a.data(), lda, b.data(), ldb, 0, c.data(), n);
  };
#endif
  return serve(version, 2.0 * m * n * k, c, [&](int64_t times) {
    for (int64_t i = 0; i < times; ++i) multiply();
  });
}
