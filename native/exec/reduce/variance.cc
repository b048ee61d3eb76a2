#include "exec/reduce/variance.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "exec/common/dense_like.h"
#include "exec/common/halves.h"
#include "exec/common/tuning.h"
#include "exec/reduce/middle.h"
#include "exec/reduce/reduce.h"
#include "exec/reduce/scaled_again.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// A piece of the elements: whole rows or columns, or one of their parts.
struct Tile : MeanTile {
  const char* x;
  int64_t at;     // where it begins among all elements
  int64_t first;  // of the results
  int64_t part;
};

// [outer, n, inner], reduced to the means of n, about which the elements are read once more; or about 0.
class AboutMeans {
 public:
  const int64_t outer, n, inner, results = outer * inner;

  AboutMeans(Workspace& workspace, const View& x, DType type, int64_t outer_size, int64_t length, int64_t inner_size)
      : outer(outer_size),
        n(length),
        inner(inner_size),
        workspace_(workspace),
        source_(x.data, x.dtype, type),
        sums_(sum_leaf(type)),
        memory_(workspace) {
    while (part_ * width_ < kReduceChunk) part_ *= 2;
  }
  // How many parts the elements of a result are cut into: the shape alone decides.
  int64_t parts() const { return n > part_ ? ceil_div(n, part_) : 1; }

  // f(tile, means of its results, or zeros), over all tiles, immediately after its sums where these need no other tile.
  template <class F>
  Status each(F&& f, bool centred = true) {
    means_ = memory_.get<double>(results);
    if (!means_) return out_of_memory();
    if (!centred) {
      std::fill_n(means_, results, 0);
      return over_tiles([&](const Tile& tile) { f(tile, means_ + tile.first); });
    }
    const auto add = [&](double* total, const Tile& tile) {
      tile.along ? sums_.sums(total, tile.x, tile.rows, tile.stride, tile.columns)
                 : sums_.columns(total, tile.x, tile.rows, tile.stride, tile.columns);
    };
    const auto divide = [&](int64_t first, int64_t count) {
      for (int64_t i = first; i < first + count; i++) means_[i] /= static_cast<double>(n);
    };
    if (parts() > 1) {
      NABLA_TRY(totals(means_, [&](double* total, const Tile& tile) { add(total, tile); }));
      divide(0, results);
    }
    return over_tiles([&](const Tile& tile) {
      if (parts() == 1) {
        add(means_ + tile.first, tile);
        divide(tile.first, tile.along ? tile.rows : tile.columns);
      }
      f(tile, means_ + tile.first);
    });
  }
  // One value of each result and part, combined into the first.
  class Partials {
   public:
    double* first = nullptr;
    explicit Partials(Workspace& workspace) : memory_(workspace) {}
    Status allocate(const AboutMeans& of) {
      count_ = of.parts(), results_ = of.results;
      first = memory_.get<double>(count_ * results_);
      return first ? Status{} : out_of_memory();
    }
    double* of(const Tile& tile) const { return first + tile.part * results_ + tile.first; }
    void combine() const { sum_leaf(DType::F64).tree(first, count_, results_); }

   private:
    int64_t count_ = 1, results_ = 0;
    Scratch memory_;
  };
  const double* means() const { return means_; }

 private:
  template <class F>
  Status totals(double* to, F&& f) {
    Partials partials(workspace_);
    NABLA_TRY(partials.allocate(*this));
    NABLA_TRY(over_tiles([&](const Tile& tile) { f(partials.of(tile), tile); }));
    partials.combine();
    __builtin_memcpy(to, partials.first, static_cast<size_t>(results * 8));
    return {};
  }
  template <class F>
  Status over_tiles(F&& f) {
    if (inner == 1 && parts() == 1) {
      const int64_t rows = kRowsChunk / (n > 0 ? n : 1) + 1;
      parallel_for(ceil_div(outer, rows), [&](int64_t chunk) {
        const int64_t first = chunk * rows, count = outer - first < rows ? outer - first : rows;
        Scratch tile(workspace_);
        if (const char* x = source_.read(tile, first * n, count * n))
          f(Tile{{count, n, n, true}, x, first * n, first, 0});
      });
      return source_.status();
    }
    const int64_t bands = ceil_div(inner, width_), cut = parts();
    parallel_for(outer * cut * bands, [&](int64_t task) {
      const int64_t band = task % bands * width_, part = task / bands % cut, o = task / bands / cut;
      const int64_t columns = inner - band < width_ ? inner - band : width_, start = part * part_;
      const int64_t rows = n - start < part_ ? n - start : part_, at = (o * n + start) * inner + band;
      Scratch tile(workspace_);
      if (inner == 1) {
        if (const char* x = source_.read(tile, at, rows)) f(Tile{{1, rows, rows, true}, x, at, o, part});
        return;
      }
      int64_t stride = inner;
      if (const char* x = source_.read(tile, at, rows, columns, stride))
        f(Tile{{rows, columns, stride, false}, x, at, o * inner + band, part});
    });
    return source_.status();
  }

  const int64_t width_ = inner < kReduceColumns ? inner : kReduceColumns;
  int64_t part_ = kReduceRows;
  Workspace& workspace_;
  const Source source_;
  const ReduceLeaf& sums_;
  Scratch memory_;
  double* means_ = nullptr;
};

const VarianceLeaf& variance_leaf(DType type) { return kernels().variance.leaf[type == DType::F64]; }

Status variance(const Call& call, bool root) {
  const View &out = call.out(), &x = call.in(0);
  const int mask = static_cast<int>(call.attrs[0]);
  View dense = x;
  Scratch memory(call.workspace);
  const Middle middle(x, mask);
  int64_t outer = middle.outer, n = middle.n, inner = middle.inner;
  if (!middle.fits) {
    // The reduced dimensions last.
    outer = out.numel(), n = x.numel() / outer, inner = 1;
    dense.rank = 0;
    for (bool reduced : {false, true}) {
      for (int d = 0; d < x.rank; d++) {
        if ((mask >> d & 1) != reduced) continue;
        dense.dims[dense.rank] = x.dims[d];
        dense.strides[dense.rank++] = x.strides[d];
      }
    }
  }
  if (!dense.contiguous()) {
    const View from = dense;
    dense = dense_like(from, x.dtype, memory);
    if (!dense.data) return out_of_memory();
    NABLA_TRY(copy(dense, from));
  }
  AboutMeans about(call.workspace, dense, out.dtype, outer, n, inner);
  AboutMeans::Partials squares(call.workspace);
  NABLA_TRY(squares.allocate(about));
  const auto add = variance_leaf(out.dtype).squares;
  NABLA_TRY(about.each([&](const Tile& tile, const double* mean) { add(squares.of(tile), tile.x, mean, tile); }));
  squares.combine();
  (root ? norm_leaf : sum_leaf)(out.dtype).store(out.data, squares.first, out.numel(), call.attrs[1]);
  return {};
}

Status checked_variance(const Call& call, bool root) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank) || !out.contiguous() || x.scalar)
    return fail(Code::NATIVE, kOperands);
  if (!is_float(out.dtype) || !reads_as(x.dtype, out.dtype)) return fail(Code::DTYPE, "the op is not for this dtype");
  const int mask = static_cast<int>(call.attrs[0]);
  int64_t kept = 1;
  for (int d = 0; d < x.rank; d++) kept *= mask >> d & 1 ? 1 : x.dims[d];
  if (mask >> x.rank || out.numel() != kept) return fail(Code::SHAPE, kOperands);
  if (kept == 0) return {};
  NABLA_TRY(variance(call, root));
  if (out.dtype != DType::F64) return {};
  const int power = root ? 1 : 2;
  const auto again = [=](const Call& scaled) { return variance(scaled, root); };
  NABLA_TRY(
      scaled_again(call, {0x1p-600, power, 0, power == 1 ? 0x1p1000 : std::numeric_limits<double>::max()}, again));
  return power == 1 ? scaled_again(call, {0x1p600, 1, 0x1p-500, 0}, again) : Status{};
}

// What a gradient is of. A length is a root of a sum of squares, hence a deviation from 0.
enum class Moment { VARIANCE, DEVIATION, LENGTH };

// A power of 2 that makes the number about 1.
double fraction(double x) {
  int exponent = 1;
  if (std::isfinite(x)) std::frexp(x, &exponent);
  return std::ldexp(1, std::clamp(-exponent, -1000, 1000));
}

// x is given in units of `unit`.
template <class T>
Status differences(const Call& call, Moment moment, const View& x, double unit, bool& fits) {
  const View &dx = call.out(), &g = call.in(0);
  const Middle middle(x, static_cast<int>(call.attrs[0]));
  AboutMeans about(call.workspace, x, g.dtype, middle.outer, middle.n, middle.inner);
  Scratch memory(call.workspace);
  auto* const scale = memory.get<double>(about.results * 2);
  if (!scale) return out_of_memory();
  double* const units = scale + about.results;
  const double divisor = call.attrs[1];
  for (int64_t i = 0; i < about.results; i++) {
    const double slope = static_cast<double>(g.as<T>()[i]) / divisor;
    if (moment == Moment::VARIANCE) {
      // Differences are halved, so that none overflows.
      units[i] = 0.5;
      scale[i] = 4 * slope / unit;
    } else {
      const double deviation = static_cast<double>(call.in(2).as<T>()[i]) * unit;
      units[i] = fraction(deviation);
      scale[i] = deviation == 0 ? 0 : slope / (deviation * units[i]);
    }
  }
  const auto write = variance_leaf(g.dtype).differences;
  const Sink sink(dx.data, dx.dtype);
  NABLA_TRY(about.each(
      [&](const Tile& tile, const double* mean) {
        const int64_t stride = tile.along ? tile.columns : about.inner;
        int64_t step = stride;
        Scratch written(call.workspace);
        char* to = sink.open(written, tile.at, tile.rows, tile.columns, step);
        if (!to) return;
        write(to, step, tile.x, mean, units + tile.first, scale + tile.first, tile);
        sink.close(to, tile.at, tile.rows, tile.columns, stride);
      },
      moment != Moment::LENGTH));
  NABLA_TRY(sink.status());
  fits = std::all_of(about.means(), about.means() + about.results, [](double mean) { return mean - mean == 0; });
  return {};
}

// Where the deviation has lost its digits, or overflowed, it is computed again from x times `unit`, in double.
template <class T, class Lost>
Status differences_again(const Call& call, Moment moment, double unit, Lost&& lost) {
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1), &y = call.in(2);
  const Middle middle(x, static_cast<int>(call.attrs[0]));
  const T* results = y.as<T>();
  const int64_t count = middle.outer * middle.inner;
  if (std::none_of(results, results + count, lost)) return {};
  Workspace& workspace = call.workspace;
  Scratch memory[] = {Scratch(workspace), Scratch(workspace), Scratch(workspace), Scratch(workspace)};
  const auto doubles = [](const View& like, Scratch& of) { return dense_like(like, DType::F64, of); };
  View operands[4] = {doubles(dx, memory[0]), doubles(g, memory[1]), x, doubles(y, memory[2])};
  if (!operands[0].data || !operands[1].data || !operands[3].data) return out_of_memory();
  NABLA_TRY(copy(operands[1], g));
  NABLA_TRY(scaled_copy(operands[2], memory[3], x, unit));
  const View reduced[] = {operands[3], operands[2]};
  const Call of_result{-1, 1, 1, 2, reduced, call.attrs, workspace};
  NABLA_TRY(moment == Moment::LENGTH ? length(of_result) : variance(of_result, true));
  bool fits = true;
  NABLA_TRY(differences<double>(Call{-1, 1, 3, 2, operands, call.attrs, workspace}, moment, operands[2], 1, fits));
  Scratch before(workspace);
  const View whole = doubles(dx, before);
  if (!whole.data) return out_of_memory();
  NABLA_TRY(copy(whole, dx));
  for (int64_t i = 0; i < x.numel(); i++)
    if (lost(results[i / (middle.n * middle.inner) * middle.inner + i % middle.inner]))
      whole.as<double>()[i] = operands[0].as<double>()[i];
  return copy(dx, whole);
}

Status backward(const Call& call, Moment moment) {
  const int operands = moment == Moment::VARIANCE ? 2 : 3;
  if (call.n_out != 1 || call.n_in != operands || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &x = call.in(1);
  const DType type = computed(dx.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, "the op is not for this dtype");
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank)) return fail(Code::NATIVE, kOperands);
  const int mask = static_cast<int>(call.attrs[0]);
  if (mask >> x.rank || !same_shape(dx, x) || x.scalar || !x.contiguous() || !dx.contiguous() || x.dtype != dx.dtype)
    return fail(Code::SHAPE, kOperands);
  const Middle middle(x, mask);
  for (int i = 0; i < operands; i += 2) {
    const View& of_result = call.in(i);
    if (!middle.fits || of_result.dtype != type || of_result.scalar || !of_result.contiguous() ||
        of_result.numel() != middle.outer * middle.inner)
      return fail(Code::SHAPE, kOperands, i + 1);
  }
  if (x.numel() == 0) return {};
  bool fits = true;
  constexpr double kUnit = 0x1p-64;
  if (type == DType::F32) {
    NABLA_TRY(differences<float>(call, moment, x, 1, fits));
    if (moment == Moment::VARIANCE) return {};
    return differences_again<float>(call, moment, 1, [](float y) { return y > FLT_MAX || (y > 0 && y < 0x1p-100f); });
  }
  NABLA_TRY(differences<double>(call, moment, x, 1, fits));
  if (!fits) {
    Scratch memory(call.workspace);
    View scaled;
    NABLA_TRY(scaled_copy(scaled, memory, x, kUnit));
    NABLA_TRY(differences<double>(call, moment, scaled, kUnit, fits));
  }
  if (moment == Moment::VARIANCE) return {};
  NABLA_TRY(differences_again<double>(call, moment, 0x1p-600, [](double y) { return y > 0x1p1000; }));
  return differences_again<double>(call, moment, 0x1p600, [](double y) { return y > 0 && y < 0x1p-960; });
}

}  // namespace

Status run_variance(const Call& call) { return checked_variance(call, false); }
Status run_deviation(const Call& call) { return checked_variance(call, true); }
Status run_variance_backward(const Call& call) { return backward(call, Moment::VARIANCE); }
Status run_deviation_backward(const Call& call) { return backward(call, Moment::DEVIATION); }
Status run_norm_backward(const Call& call) { return backward(call, Moment::LENGTH); }

}  // namespace nabla
