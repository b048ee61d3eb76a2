#include "exec/elementwise/elementwise.h"

#include <algorithm>
#include <cstring>

#include "exec/common/tuning.h"
#include "kernels/list.h"
#include "kernels/table.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr int kMaxOperands = 6;
// Elements in a tile: operands that kernels cannot read directly are converted into tiles of this length, in L1.
constexpr int64_t kTile = 1024;
// Elements of a tile that is written by streaming stores: these drain while the next tile is computed.
constexpr int64_t kStreamedTile = 256;
// Rows of at least this length are passed to the kernel one by one; shorter ones share a tile.
constexpr int64_t kRow = 128;

struct Space {
  int rank = 0;
  int64_t dims[kMaxRank];
  int operands = 0;
  int64_t strides[kMaxOperands][kMaxRank];
  char* data[kMaxOperands];
  DType stored[kMaxOperands];  // as it lies in memory
  DType wanted[kMaxOperands];  // as the leaf takes it
};

// Broadcasts the inputs to the output, drops dimensions of size 1 and merges contiguous ones.
Status plan(const View* operands, int count, Space& s) {
  const View& out = operands[0];
  s.operands = count;
  for (int o = 0; o < count; o++) {
    s.data[o] = static_cast<char*>(operands[o].data);
    s.stored[o] = operands[o].dtype;
    if (operands[o].rank > out.rank) return fail(Code::SHAPE, "an input has more dimensions than the result", o);
  }
  for (int d = 0; d < out.rank; d++) {
    int64_t step[kMaxOperands];
    for (int o = 0; o < count; o++) {
      int own = d - (out.rank - operands[o].rank);
      int64_t size = own < 0 ? 1 : operands[o].dims[own];
      if (size != out.dims[d] && size != 1) return fail(Code::SHAPE, "an input does not broadcast to the result", o);
      step[o] = size == 1 ? 0 : operands[o].strides[own];
    }
    if (out.dims[d] == 1) continue;
    bool join = s.rank > 0;
    for (int o = 0; join && o < count; o++) join = s.strides[o][s.rank - 1] == step[o] * out.dims[d];
    if (join) {
      s.dims[s.rank - 1] *= out.dims[d];
      for (int o = 0; o < count; o++) s.strides[o][s.rank - 1] = step[o];
    } else {
      s.dims[s.rank] = out.dims[d];
      for (int o = 0; o < count; o++) s.strides[o][s.rank] = step[o];
      s.rank++;
    }
  }
  if (s.rank == 0) {
    s.rank = 1;
    s.dims[0] = 1;
    for (int o = 0; o < count; o++) s.strides[o][0] = 0;
    s.strides[0][0] = 1;
  }
  return {};
}

// Walks a range of the space in row-major order.
struct Walker {
  const Space& s;
  int64_t index[kMaxRank];
  char* at[kMaxOperands];

  Walker(const Space& space, int64_t start) : s(space) {
    for (int o = 0; o < s.operands; o++) at[o] = s.data[o];
    for (int d = s.rank - 1; d >= 0; d--) {
      index[d] = start % s.dims[d];
      start /= s.dims[d];
      for (int o = 0; o < s.operands; o++) move(o, s.strides[o][d] * index[d]);
    }
  }
  void move(int o, int64_t elements) { at[o] += elements * static_cast<int64_t>(size_of(s.stored[o])); }
  int64_t left_in_row() const { return s.dims[s.rank - 1] - index[s.rank - 1]; }
  // n <= left_in_row()
  void advance(int64_t n) {
    int d = s.rank - 1;
    index[d] += n;
    for (int o = 0; o < s.operands; o++) move(o, s.strides[o][d] * n);
    while (index[d] == s.dims[d] && d > 0) {
      index[d] = 0;
      for (int o = 0; o < s.operands; o++) move(o, s.strides[o][d - 1] - s.strides[o][d] * s.dims[d]);
      index[--d]++;
    }
  }
};

struct Tiles {
  alignas(64) char bytes[kMaxOperands][kTile * 8];
};

struct Driver {
  const KernelTable& table = kernels();
  ElementwiseFn leaf;
  bool streaming;  // the leaf has streaming stores of its own
  Space s;

  bool direct(int o) const { return s.strides[o][s.rank - 1] == 1 && s.stored[o] == s.wanted[o]; }

  void gather(int o, char* tile, int64_t at, const char* from, int64_t n) const {
    table.convert.gather[static_cast<int>(s.wanted[o])][static_cast<int>(s.stored[o])](
        tile + at * static_cast<int64_t>(size_of(s.wanted[o])), from, s.strides[o][s.rank - 1], n);
  }

  // Writes a tile of n results, in the kernel's dtype, to memory in the output's dtype.
  void scatter(char* to, char* tile, int64_t at, int64_t n) const {
    const char* from = tile + at * static_cast<int64_t>(size_of(s.wanted[0]));
    int stored = static_cast<int>(s.stored[0]);
    if (s.stored[0] == s.wanted[0]) {
      table.convert.scatter[stored](to, s.strides[0][s.rank - 1], from, n);
    } else {
      alignas(64) char converted[kTile * 8];
      table.convert.gather[stored][static_cast<int>(s.wanted[0])](converted, from, 1, n);
      table.convert.scatter[stored](to, s.strides[0][s.rank - 1], converted, n);
    }
  }

  // Long rows: operands that are contiguous along the row are used in place.
  void rows(int64_t start, int64_t end) const {
    Tiles tiles;
    Walker w(s, start);
    bool all_direct = true, splat[kMaxOperands];
    for (int o = 0; o < s.operands; o++) {
      all_direct = all_direct && direct(o);
      splat[o] = std::all_of(s.strides[o], s.strides[o] + s.rank, [](int64_t stride) { return stride == 0; });
      if (splat[o] && o > 0) gather(o, tiles.bytes[o], 0, w.at[o], end - start < kTile ? end - start : kTile);
    }
    while (start < end) {
      int64_t n = w.left_in_row();
      if (n > end - start) n = end - start;
      if (!all_direct && n > kTile) n = kTile;
      void* args[kMaxOperands];
      for (int o = 0; o < s.operands; o++) {
        args[o] = direct(o) ? w.at[o] : tiles.bytes[o];
        if (o > 0 && !direct(o) && !splat[o]) gather(o, tiles.bytes[o], 0, w.at[o], n);
      }
      leaf(args, n, false);
      if (!direct(0)) scatter(w.at[0], tiles.bytes[0], 0, n);
      w.advance(n);
      start += n;
    }
  }

  // The same over a contiguous result that is written by streaming stores; start is a multiple of the chunk.
  void streamed(int64_t start, int64_t end) const {
    Tiles tiles;
    Walker w(s, start);
    const int64_t tile = streaming ? kTile : kStreamedTile;
    for (int64_t n; start < end; start += n) {
      n = end - start < tile ? end - start : tile;
      void* args[kMaxOperands] = {streaming ? w.at[0] : tiles.bytes[0]};
      for (int o = 1; o < s.operands; o++) {
        args[o] = direct(o) ? w.at[o] : tiles.bytes[o];
        if (!direct(o)) gather(o, tiles.bytes[o], 0, w.at[o], n);
      }
      leaf(args, n, streaming);
      if (!streaming) {
        const int64_t bytes = n * static_cast<int64_t>(size_of(s.stored[0])), whole = bytes & -16;
        stream(w.at[0], tiles.bytes[0], whole);
        std::memcpy(w.at[0] + whole, tiles.bytes[0] + whole, static_cast<size_t>(bytes - whole));
      }
      w.advance(n);
    }
    end_streaming();
  }

  // Short rows: several share a tile, to fill the kernel's vectors.
  void tiles_of_rows(int64_t start, int64_t end) const {
    Tiles tiles;
    bool flat[kMaxOperands];  // lies in the order of the walk
    for (int o = 0; o < s.operands; o++) {
      int64_t expected = 1;
      flat[o] = s.stored[o] == s.wanted[o];
      for (int d = s.rank - 1; d >= 0; d--) {
        flat[o] = flat[o] && s.strides[o][d] == expected;
        expected *= s.dims[d];
      }
    }
    Walker w(s, start);
    while (start < end) {
      int64_t n = end - start < kTile ? end - start : kTile;
      void* args[kMaxOperands];
      for (int o = 0; o < s.operands; o++) args[o] = flat[o] ? w.at[o] : tiles.bytes[o];
      Walker results = w;
      for (int64_t done = 0; done < n;) {
        int64_t run = w.left_in_row();
        if (run > n - done) run = n - done;
        for (int o = 1; o < s.operands; o++)
          if (!flat[o]) gather(o, tiles.bytes[o], done, w.at[o], run);
        w.advance(run);
        done += run;
      }
      leaf(args, n, false);
      if (!flat[0]) {
        for (int64_t done = 0; done < n;) {
          int64_t run = results.left_in_row();
          if (run > n - done) run = n - done;
          scatter(results.at[0], tiles.bytes[0], done, run);
          results.advance(run);
          done += run;
        }
      }
      start += n;
    }
  }

  void run() const {
    int64_t total = 1;
    for (int d = 0; d < s.rank; d++) total *= s.dims[d];
    const bool long_rows = s.rank == 1 || s.dims[s.rank - 1] >= kRow;
    const int64_t bytes = static_cast<int64_t>(size_of(s.stored[0]));
    const bool stream =
        s.rank == 1 && direct(0) && total * bytes >= kStreamed && reinterpret_cast<uintptr_t>(s.data[0]) % 64 == 0;
    parallel_for((total + kElementwiseChunk - 1) / kElementwiseChunk, [&](int64_t chunk) {
      int64_t start = chunk * kElementwiseChunk;
      int64_t end = start + kElementwiseChunk < total ? start + kElementwiseChunk : total;
      if (stream)
        streamed(start, end);
      else if (long_rows)
        rows(start, end);
      else
        tiles_of_rows(start, end);
    });
  }
};

bool plain(const View& v, const View& out, DType wanted) {
  return v.dtype == wanted && !v.scalar && same_shape(v, out) && v.contiguous();
}

// The kernel on its operands, output first, computing in `type`.
Status elementwise(Elementwise of, DType type, const View* operands) {
  const int kernel = static_cast<int>(of);
  const ElementwiseInfo& info = kElementwise[kernel];
  const int inputs = info.arity;
  if (is_half(type) && of != Elementwise::identity) type = DType::F32;
  ElementwiseFn leaf = kernels().elementwise.leaf[kernel][static_cast<int>(type)];
  if (!leaf) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const View& out = operands[0];
  int64_t total = out.numel();
  DType result = info.result == Result::BOOL ? DType::BOOL : type;
  auto wanted = [&](int i) { return i == 0 && of == Elementwise::where ? DType::BOOL : type; };

  bool simple = out.dtype == result && total <= kElementwiseChunk && out.contiguous();
  for (int i = 0; simple && i < inputs; i++) simple = plain(operands[1 + i], out, wanted(i));
  if (simple) {
    void* args[kMaxOperands] = {out.data};
    for (int i = 0; i < inputs; i++) args[i + 1] = operands[1 + i].data;
    if (total > 0) leaf(args, total, false);
    return {};
  }
  Driver d;
  d.leaf = leaf;
  d.streaming = can_stream(kernel, type);
  d.s.wanted[0] = result;
  for (int i = 0; i < inputs; i++) d.s.wanted[i + 1] = wanted(i);
  NABLA_TRY(plan(operands, 1 + inputs, d.s));
  if (total > 0) d.run();
  return {};
}

template <class... Inputs>
Status apply(Elementwise kernel, const View& out, const Inputs&... inputs) {
  const View operands[] = {out, inputs...};
  return elementwise(kernel, out.dtype, operands);
}

}  // namespace

Status run_elementwise(const Call& call, int kernel) {
  if (call.n_out != 1 || call.n_in != kElementwise[kernel].arity || call.n_attr != 1)
    return fail(Code::NATIVE, "the operands do not fit the kernel");
  double code = call.attrs[0];
  if (!(code >= 0 && code < kDTypeCount)) return fail(Code::NATIVE, "unknown dtype");
  return elementwise(static_cast<Elementwise>(kernel), static_cast<DType>(static_cast<int>(code)), call.operands);
}

Status copy(const View& out, const View& x) { return apply(Elementwise::identity, out, x); }
Status absolute(const View& out, const View& x) { return apply(Elementwise::abs, out, x); }
Status subtract(const View& out, const View& x, const View& y) { return apply(Elementwise::sub, out, x, y); }
Status multiply(const View& out, const View& x, const View& y) { return apply(Elementwise::mul, out, x, y); }

void take_log(double* x, int64_t n) {
  void* const args[] = {x, x};
  kernels().elementwise.leaf[static_cast<int>(Elementwise::log)][static_cast<int>(DType::F64)](args, n, false);
}

const ListStamp elementwise_stamp = {"native/exec/elementwise/elementwise.cc", kListHash};

}  // namespace nabla
