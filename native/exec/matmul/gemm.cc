#include "exec/matmul/gemm.h"

#include <atomic>

#include "base/half.h"
#include "exec/matmul/gemm_plan.h"
#include "kernels/table.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr Status kOutOfScratch = {Code::MEMORY, "no memory for the panels of a matrix multiplication"};
constexpr Status kNoKernel = {Code::DTYPE, "matrix multiplication needs float or integer elements"};

bool has_gemm(DType t) { return is_float(t) || t == DType::I32 || t == DType::I64; }

template <class T, class S>
const GemmReaders<T, S>& readers(const GemmKernels<T>& own) {
  if constexpr (kGemmConverts<T, S>) {
    return kernels().gemm.bf16;
  } else {
    return own;
  }
}

template <class F>
void for_each_task(bool parallel, int64_t tasks, const F& body, Job job = Job::HEAVY) {
  if (parallel) {
    parallel_for(tasks, [&](int64_t t) { body(t); }, job);
  } else {
    for (int64_t t = 0; t < tasks; t++) body(t);
  }
}

// A part of a problem that is small enough to be packed at once.
template <class T, class A, class B>
class GemmRegion {
 public:
  GemmRegion(Workspace& workspace, const GemmProblem<T, A, B>& problem, const GemmPlan& plan,
             const GemmKernels<T>& kernels, T* a_panels, T* b_panels)
      : workspace_(workspace),
        p_(problem),
        plan_(plan),
        kernels_(kernels),
        a_panels_(a_panels),
        b_panels_(b_panels),
        row_tasks_(count(p_.m, plan.task_rows)),
        col_tasks_(count(p_.n, plan.task_cols)),
        depths_(p_.k > 0 ? count(p_.k, kGemmDepth) : 1),
        a_depth_(count(p_.m, kernels.mr) * gemm_panel(kernels.mr, kGemmDepth)),
        b_depth_(count(p_.n, kernels.nr) * gemm_panel(kernels.nr, kGemmDepth)) {}

  Status run() {
    const int64_t a_units = plan_.pack_a ? row_tasks_ * depths_ : 0;
    const int64_t b_units = plan_.pack_b && !plan_.stream_b ? col_tasks_ * depths_ : 0;
    const auto share_out = [&](int64_t tasks, const auto& body) {
      for_each_task(plan_.parallel, tasks, body, plan_.light ? Job::LIGHT : Job::HEAVY);
    };
    share_out(a_units + b_units, [&](int64_t t) {
      if (t < b_units) {
        pack_b(t % col_tasks_ * plan_.task_cols, t / col_tasks_);
      } else {
        pack_a((t - b_units) % row_tasks_ * plan_.task_rows, (t - b_units) / row_tasks_);
      }
    });
    // Threads begin with the tasks that they packed, which are in their cache.
    const bool by_rows = a_units > 0 && b_units == 0;
    share_out(row_tasks_ * col_tasks_, [&](int64_t t) {
      const int64_t row = by_rows ? t / col_tasks_ : t % row_tasks_, col = by_rows ? t % col_tasks_ : t / row_tasks_;
      multiply(row * plan_.task_rows, col * plan_.task_cols);
    });
    return out_of_scratch_.load() ? kOutOfScratch : Status{};
  }

 private:
  int64_t depth(int64_t d) const { return smaller(p_.k - d * kGemmDepth, kGemmDepth); }
  T* a_panel(int64_t row, int64_t d) const {
    return a_panels_ + d * a_depth_ + row / kernels_.mr * gemm_panel(kernels_.mr, depth(d));
  }
  T* b_panel(int64_t col, int64_t d) const {
    return b_panels_ + d * b_depth_ + col / kernels_.nr * gemm_panel(kernels_.nr, depth(d));
  }

  void pack_a(int64_t row, int64_t d) const {
    readers<T, A>(kernels_).pack_a(a_panel(row, d), p_.a + row * p_.a_row + d * kGemmDepth * p_.a_k, p_.a_row, p_.a_k,
                                   smaller(p_.m - row, plan_.task_rows), depth(d));
  }
  void pack_b(int64_t col, int64_t d) const { pack_b(b_panel(col, d), col, d); }
  void pack_b(T* panels, int64_t col, int64_t d) const {
    readers<T, B>(kernels_).pack_b(panels, p_.b + d * kGemmDepth * p_.b_k + col * p_.b_col, p_.b_k, p_.b_col,
                                   smaller(p_.n - col, plan_.task_cols), depth(d));
  }

  void multiply(int64_t row, int64_t col) const {
    Scratch memory(workspace_);
    T* own = nullptr;
    if (plan_.stream_b) {
      const int64_t panels = count(plan_.task_cols, kernels_.nr);
      own = memory.get<T>(panels * gemm_panel(kernels_.nr, smaller(p_.k, kGemmDepth)));
      if (!own) return out_of_scratch_.store(true, std::memory_order_relaxed);
    }
    GemmBlock<T> block;
    block.m = smaller(p_.m - row, plan_.task_rows);
    block.n = smaller(p_.n - col, plan_.task_cols);
    block.c = p_.c + row * p_.ldc + col;
    block.ldc = p_.ldc;
    for (int64_t d = 0; d < depths_; d++) {
      block.k = depth(d);
      if (plan_.pack_a) {
        block.a = a_panel(row, d);
        block.a_row = 1;
        block.a_k = kernels_.mr;
        block.a_panel = gemm_panel(kernels_.mr, block.k);
      } else if constexpr (!kGemmConverts<T, A>) {
        block.a = p_.a + row * p_.a_row + d * kGemmDepth * p_.a_k;
        block.a_row = p_.a_row;
        block.a_k = p_.a_k;
        block.a_panel = 0;
      }
      if (own) pack_b(own, col, d);
      block.far = !own;
      if (plan_.pack_b) {
        block.b = own ? own : b_panel(col, d);
        block.b_k = kernels_.nr;
        block.b_panel = gemm_panel(kernels_.nr, block.k);
      } else if constexpr (!kGemmConverts<T, B>) {
        block.b = p_.b + d * kGemmDepth * p_.b_k + col;
        block.b_k = p_.b_k;
        block.b_panel = kernels_.nr;
      }
      block.addend = d > 0 ? block.c : p_.addend ? p_.addend + row * p_.addend_row + col : nullptr;
      block.addend_row = d > 0 ? block.ldc : p_.addend_row;
      const bool last = d + 1 == depths_;
      block.bias = p_.bias && last ? p_.bias + col : nullptr;
      block.relu = p_.relu && last;
      kernels_.block(block);
    }
  }

  Workspace& workspace_;
  const GemmProblem<T, A, B>& p_;
  const GemmPlan& plan_;
  const GemmKernels<T>& kernels_;
  T* a_panels_;
  T* b_panels_;
  int64_t row_tasks_, col_tasks_, depths_, a_depth_, b_depth_;
  mutable std::atomic<bool> out_of_scratch_{false};
};

template <class T, class A, class B>
Status multiply_regions(Workspace& workspace, const GemmProblem<T, A, B>& p, const GemmKernels<T>& kernels) {
  const GemmPlan plan = plan_gemm(p, kernels, thread_limit());
  const int64_t depths = count(plan.region_depth, kGemmDepth), panel_depth = smaller(p.k, kGemmDepth);
  Scratch left(workspace), right(workspace);
  T* a_panels = nullptr;
  T* b_panels = nullptr;
  if (plan.pack_a) {
    const int64_t panels = count(plan.region_rows, kernels.mr) * depths;
    a_panels = left.get<T>(panels * gemm_panel(kernels.mr, panel_depth));
    if (!a_panels) return kOutOfScratch;
  }
  if (plan.pack_b && !plan.stream_b) {
    const int64_t panels = count(plan.region_cols, kernels.nr) * depths;
    b_panels = right.get<T>(panels * gemm_panel(kernels.nr, panel_depth));
    if (!b_panels) return kOutOfScratch;
  }
  int64_t k = 0;
  do {
    for (int64_t col = 0; col < p.n; col += plan.region_cols) {
      for (int64_t row = 0; row < p.m; row += plan.region_rows) {
        GemmProblem<T, A, B> region = p;
        region.m = smaller(p.m - row, plan.region_rows);
        region.n = smaller(p.n - col, plan.region_cols);
        region.k = smaller(p.k - k, plan.region_depth);
        region.a += row * p.a_row + k * p.a_k;
        region.b += k * p.b_k + col * p.b_col;
        region.c += row * p.ldc + col;
        if (k > 0) {
          region.addend = region.c;
          region.addend_row = region.ldc;
        } else if (p.addend) {
          region.addend += row * p.addend_row + col;
        }
        const bool last = k + region.k == p.k;
        region.bias = p.bias && last ? p.bias + col : nullptr;
        region.relu = p.relu && last;
        const Status status = GemmRegion<T, A, B>(workspace, region, plan, kernels, a_panels, b_panels).run();
        if (!status.ok()) return status;
      }
    }
    k += plan.region_depth;
  } while (k < p.k);
  return {};
}

template <class T, class B>
void multiply_vector(const GemmVector<T, B>& v, const GemmReaders<T, B>& kernels) {
  const int64_t cols = plan_vector(v.n, v.k, v.b_col == 1), tasks = count(v.n, cols);
  for_each_task(tasks > 1, tasks, [&](int64_t t) {
    GemmVector<T, B> part = v;
    const int64_t col = t * cols;
    part.n = smaller(v.n - col, cols);
    part.b += col * v.b_col;
    part.y += col * v.y_col;
    if (v.addend) part.addend += col * v.addend_col;
    if (v.bias) part.bias += col * v.bias_col;
    kernels.vector(part);
  });
}

// A few vectors in the form of the kernels: of type T and, for dot products, contiguous along k.
template <class T>
struct GemmVectors {
  const T* data;
  int64_t step, k_step;
  bool out_of_scratch = false;
};
template <class T, class S>
GemmVectors<T> straightened(Scratch& memory, const S* x, int64_t vectors, int64_t step, int64_t k_step, int64_t k,
                            bool dots) {
  if constexpr (!kGemmConverts<T, S>) {
    if (!dots || k_step == 1) return {x, step, k_step};
  }
  T* copy = memory.get<T>(vectors * larger(k, 1));
  if (!copy) return {nullptr, 0, 0, true};
  for (int64_t v = 0; v < vectors; v++) {
    for (int64_t i = 0; i < k; i++) {
      const S value = x[v * step + i * k_step];
      if constexpr (kGemmConverts<T, S>) {
        copy[v * k + i] = widen(value);
      } else {
        copy[v * k + i] = value;
      }
    }
  }
  return {copy, k, 1};
}

template <class T, class A, class B>
Status multiply(Workspace& workspace, GemmProblem<T, A, B> p, const GemmKernels<T>& kernels) {
  // The stride of a dimension of size 1 is arbitrary, so choose one that allows every path.
  if (p.n == 1) p.b_col = 1;
  if (p.k == 1) p.a_k = p.b_k = 1;
  // If one operand allows dot products, the layout of the other, a few vectors, must not prevent them.
  const bool dots = gemm_takes_dots(p.m, p.n, p.k, p.a_k, p.b_k);
  Scratch left(workspace), right(workspace);
  if (vector_pays(p, kernels.caches)) {
    const auto a = straightened<T>(left, p.a, p.m, p.a_row, p.a_k, p.k, dots);
    if (a.out_of_scratch) return kOutOfScratch;
    multiply_vector<T, B>({p.m, p.n, p.k, a.data, a.step, a.k_step, p.b, p.b_k, p.b_col, p.c, p.ldc, 1, p.addend,
                           p.addend_row, 1, p.bias, 1, p.relu},
                          readers<T, B>(kernels));
    return {};
  }
  // A single column is a single row of the transposed product.
  if (p.n == 1 && (dots || p.a_row == 1 || p.a_k == 1)) {
    const auto a = straightened<A>(left, p.a, p.m, p.a_row, p.a_k, p.k, dots);
    const auto b = straightened<T>(right, p.b, 1, 0, p.b_k, p.k, dots);
    if (a.out_of_scratch || b.out_of_scratch) return kOutOfScratch;
    multiply_vector<T, A>({1, p.m, p.k, b.data, 0, b.k_step, a.data, a.k_step, a.step, p.c, 0, p.ldc, p.addend, 0,
                           p.addend_row, p.bias, 0, p.relu},
                          readers<T, A>(kernels));
    return {};
  }
  return multiply_regions(workspace, p, kernels);
}

template <class T>
Status multiply_integers(const GemmProblem<T>& p, void (*kernel)(const GemmProblem<T>&)) {
  const int64_t rows = plan_integer(p.m, p.n, p.k), tasks = count(p.m, rows);
  for_each_task(tasks > 1, tasks, [&](int64_t t) {
    GemmProblem<T> part = p;
    part.m = smaller(p.m - t * rows, rows);
    part.a += t * rows * p.a_row;
    part.c += t * rows * p.ldc;
    if (p.addend) part.addend += t * rows * p.addend_row;
    kernel(part);
  });
  return {};
}

template <class T, class A = T, class B = T>
GemmProblem<T, A, B> problem(int64_t m, int64_t n, int64_t k, const Matrix& a, const Matrix& b, void* c, int64_t ldc,
                             const GemmEpilogue& epilogue) {
  return {m,
          n,
          k,
          static_cast<const A*>(a.data),
          a.row_stride,
          a.col_stride,
          static_cast<const B*>(b.data),
          b.row_stride,
          b.col_stride,
          static_cast<T*>(c),
          ldc,
          static_cast<const T*>(epilogue.addend),
          epilogue.addend_row,
          static_cast<const T*>(epilogue.bias),
          epilogue.relu};
}

const void* offset(const void* data, int64_t elements, DType dtype) {
  return static_cast<const char*>(data) + elements * static_cast<int64_t>(size_of(dtype));
}

}  // namespace

Status gemm(Workspace& workspace, DType dtype, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, void* c,
            int64_t ldc, const GemmEpilogue& epilogue) {
  if (m == 0 || n == 0) return {};
  const GemmTable& table = kernels().gemm;
  const auto floats = [&]<class A, class B>(A, B) {
    return multiply(workspace, problem<float, A, B>(m, n, k, a, b, c, ldc, epilogue), table.f32);
  };
  constexpr BFloat16 kHalf{};
  if (dtype != DType::F32 && (a.bf16 || b.bf16)) return kNoKernel;
  switch (dtype) {
    case DType::F32:
      if (a.bf16) return b.bf16 ? floats(kHalf, kHalf) : floats(kHalf, 0.0f);
      return b.bf16 ? floats(0.0f, kHalf) : floats(0.0f, 0.0f);
    case DType::F64: return multiply(workspace, problem<double>(m, n, k, a, b, c, ldc, epilogue), table.f64);
    case DType::I32: return multiply_integers(problem<int32_t>(m, n, k, a, b, c, ldc, epilogue), table.i32);
    case DType::I64: return multiply_integers(problem<int64_t>(m, n, k, a, b, c, ldc, epilogue), table.i64);
    default: return kNoKernel;
  }
}

Status gemm_batched(Workspace& workspace, DType dtype, int64_t count, int64_t m, int64_t n, int64_t k, Matrix a,
                    const int64_t* a_offsets, Matrix b, const int64_t* b_offsets, void* c, const int64_t* c_offsets,
                    int64_t ldc, const GemmEpilogue& epilogue, const int64_t* addend_offsets) {
  const auto item = [&](int64_t i) {
    GemmEpilogue own = epilogue;
    if (own.addend) own.addend = offset(own.addend, addend_offsets[i], dtype);
    return gemm(workspace, dtype, m, n, k, a.shifted(a_offsets[i], dtype), b.shifted(b_offsets[i], dtype),
                static_cast<char*>(c) + c_offsets[i] * static_cast<int64_t>(size_of(dtype)), ldc, own);
  };
  if (count == 0) return {};
  if (!has_gemm(dtype)) return kNoKernel;
  // Items that form one tall matrix times the same B become one product.
  if (count > 1) {
    bool tall = true;
    for (int64_t i = 0; tall && i < count; i++) {
      tall = b_offsets[i] == b_offsets[0] && a_offsets[i] - a_offsets[0] == i * m * a.row_stride &&
             c_offsets[i] - c_offsets[0] == i * m * ldc &&
             (!epilogue.addend || addend_offsets[i] - addend_offsets[0] == i * m * epilogue.addend_row);
    }
    if (tall) {
      m *= count;
      return item(0);
    }
  }
  const int64_t items = plan_batch(count, m, n, k);
  std::atomic<bool> failed{false};
  for_each_task(items < count, nabla::count(count, items), [&](int64_t t) {
    for (int64_t i = t * items; i < smaller(count, (t + 1) * items); i++) {
      if (!item(i).ok()) failed.store(true, std::memory_order_relaxed);
    }
  });
  return failed.load() ? kOutOfScratch : Status{};
}

}  // namespace nabla
