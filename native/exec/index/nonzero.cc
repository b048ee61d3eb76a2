#include "exec/index/nonzero.h"

#include "exec/common/tuning.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// Writes one row of the result for a position.
void put(int32_t* row, int64_t place, const View& mask, bool flat) {
  if (flat) {
    *row = static_cast<int32_t>(place);
    return;
  }
  for (int d = mask.rank - 1; d >= 0; d--) {
    row[d] = static_cast<int32_t>(place % mask.dims[d]);
    place /= mask.dims[d];
  }
}

}  // namespace

Status run_nonzero(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 0) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &mask = call.in(0);
  const bool flat = out.rank == 1;
  if (mask.scalar || mask.dtype != DType::BOOL || out.dtype != DType::I32 || !mask.contiguous() || !out.contiguous() ||
      !(flat || (out.rank == 2 && out.dims[1] == mask.rank)) || mask.numel() > INT32_MAX)
    return fail(Code::SHAPE, kOperands);
  const int64_t n = mask.numel(), chunks = (n + kElementwiseChunk - 1) / kElementwiseChunk, wanted = out.dims[0];
  const int64_t width = flat ? 1 : mask.rank;
  const uint8_t* x = mask.as<uint8_t>();
  auto end_of = [&](int64_t chunk) {
    return (chunk + 1) * kElementwiseChunk < n ? (chunk + 1) * kElementwiseChunk : n;
  };
  Scratch memory(call.workspace);
  auto* ends = memory.get<int64_t>(chunks + 1);
  if (!ends) return out_of_memory();
  parallel_for(chunks, [&](int64_t chunk) {
    int64_t count = 0;
    for (int64_t i = chunk * kElementwiseChunk; i < end_of(chunk); i++) count += x[i] != 0;
    ends[chunk + 1] = count;
  });
  ends[0] = 0;
  for (int64_t chunk = 0; chunk < chunks; chunk++) ends[chunk + 1] += ends[chunk];
  if (ends[chunks] != wanted) return fail(Code::ARGUMENT, "the number of true elements is another");
  int32_t* rows = out.as<int32_t>();
  parallel_for(chunks, [&](int64_t chunk) {
    // Never more than counted, even if another thread has written to the mask meanwhile.
    int64_t row = ends[chunk];
    for (int64_t i = chunk * kElementwiseChunk; i < end_of(chunk) && row < ends[chunk + 1]; i++)
      if (x[i] != 0) put(rows + row++ * width, i, mask, flat);
    for (; row < ends[chunk + 1]; row++) put(rows + row * width, 0, mask, flat);
  });
  return {};
}

}  // namespace nabla
