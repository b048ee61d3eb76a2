#include <cstring>

#include "base/half.h"
#include "binding/instruction.h"
#include "exec/registry.h"

namespace nabla {
namespace {

constexpr double kMaxInteger = 9007199254740992.0;
constexpr int64_t kMostElements = int64_t{1} << 50;

// volatile: the frame is shared memory, so each number is read exactly once, and the copy is what is checked.
bool read_integer(const Frame& f, size_t& cursor, int64_t& out) {
  if (cursor >= f.double_count) return false;
  double value = f.doubles[cursor++];
  if (!(value >= -kMaxInteger && value <= kMaxInteger)) return false;
  out = static_cast<int64_t>(value);
  return static_cast<double>(out) == value;
}

template <class T>
int64_t pack(T value) {
  int64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

int64_t pack_scalar(DType dtype, double value, double low) {
  switch (dtype) {
    case DType::F32: return pack(static_cast<float>(value));
    case DType::F64: return pack(value);
    case DType::I32: return pack(static_cast<int32_t>(static_cast<int64_t>(value)));
    case DType::I64:
      return static_cast<int64_t>(static_cast<uint64_t>(static_cast<int64_t>(value)) << 32 |
                                  static_cast<uint32_t>(low));
    case DType::U8: return pack(static_cast<uint8_t>(static_cast<int64_t>(value)));
    case DType::BOOL: return pack(value != 0);
    case DType::BF16: return pack(narrow<BFloat16>(to_odd(value)));
    case DType::F16: return pack(narrow<Float16>(to_odd(value)));
  }
  return 0;
}

// Whether a number in the frame is valid for its dtype; for int64, `value` is the upper half.
bool fits_scalar(DType dtype, double value, double low) {
  switch (dtype) {
    case DType::I32: return value >= INT32_MIN && value <= INT32_MAX;
    case DType::I64: return value >= INT32_MIN && value <= INT32_MAX && low >= 0 && low < 4294967296.0;
    case DType::U8: return value >= 0 && value <= UINT8_MAX;
    default: return true;
  }
}

// The first and last element of the view, relative to its offset; false on overflow.
bool extent(const View& v, int64_t& first, int64_t& last) {
  int64_t low = 0, high = 0;
  first = last = 0;
  for (int i = 0; i < v.rank; i++) {
    if (v.dims[i] == 0) return true;
    int64_t span;
    if (__builtin_mul_overflow(v.dims[i] - 1, v.strides[i], &span)) return false;
    if (span < 0 ? __builtin_add_overflow(low, span, &low) : __builtin_add_overflow(high, span, &high)) return false;
  }
  first = low;
  last = high;
  return true;
}

bool count_elements(const View& v, int64_t& n) {
  n = 1;
  bool empty = false;
  for (int i = 0; i < v.rank; i++) {
    if (v.dims[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(n, v.dims[i], &n))
      return false;
  }
  if (n > kMostElements) return false;
  if (empty) n = 0;
  return true;
}

template <class T>
void grow(std::vector<T>& list, int64_t count) {
  if (list.size() < static_cast<size_t>(count)) list.resize(static_cast<size_t>(count));
}

// Whether a view has more elements than distinct positions, so that some would be written several times.
bool repeats(const View& v) {
  int64_t first, last;
  return !extent(v, first, last) || v.numel() > last - first + 1;
}

}  // namespace

Status decode_operand(const Frame& f, int32_t index, size_t& cursor, Operand& out, View& v) {
  const volatile int32_t* ints = f.ints + kOperandBase + kOperandInts * index;
  out.slot = ints[0];
  out.generation = ints[1];
  int32_t dtype = ints[2], rank = ints[3];
  out.flags = ints[4];
  out.version = ints[5];
  out.block = ints[6];
  if (dtype < 0 || dtype >= kDTypeCount || rank < 0 || rank > kMaxRank) return malformed(index);
  v.dtype = static_cast<DType>(dtype);
  v.rank = rank;
  v.scalar = out.has(flag::scalar);
  if (v.scalar) {
    if (cursor + 2 > f.double_count || rank != 0 || out.fresh()) return malformed(index);
    double value = f.doubles[cursor], low = f.doubles[cursor + 1];
    cursor += 2;
    if (!fits_scalar(v.dtype, value, low)) return malformed(index);
    out.value = pack_scalar(v.dtype, value, low);
    return {};
  }
  const bool fresh = out.fresh();
  out.offset = 0;
  if (!fresh && !read_integer(f, cursor, out.offset)) return malformed(index);
  for (int i = 0; i < rank; i++)
    if (!read_integer(f, cursor, v.dims[i]) || v.dims[i] < 0) return malformed(index);
  int64_t n;
  if (!count_elements(v, n)) return fail(Code::MEMORY, "the tensor is too large", index);
  int64_t first = 0, last = n - 1;
  if (fresh || out.has(flag::contiguous)) {
    set_contiguous(v);
  } else {
    for (int i = 0; i < rank; i++)
      if (!read_integer(f, cursor, v.strides[i])) return malformed(index);
    if (!extent(v, first, last)) return malformed(index);
  }
  if (out.offset < 0 || out.offset > kMostElements ||
      (n > 0 && (out.offset + first < 0 || last >= kMostElements - out.offset)))
    return malformed(index);
  out.reach = n > 0 ? out.offset + last + 1 : out.offset;
  return {};
}

Status decode(const Frame& f, Instruction& out) {
  const volatile int32_t* ints = f.ints;
  const int32_t outs = ints[field::outs], ins = ints[field::ins], attrs = ints[field::attrs];
  out.opcode = ints[field::opcode];
  out.outs = outs;
  out.ins = ins;
  out.n_attr = attrs;
  out.has_node = ints[field::hasNode] != 0;
  if (out.opcode < 0 || out.opcode >= opcode_count() || outs < 0 || ins < 0 || attrs < 0) return malformed();
  const int64_t count = int64_t{outs} + ins;
  if (kOperandBase + count * kOperandInts > static_cast<int64_t>(f.int_count) ||
      static_cast<size_t>(attrs) > f.double_count)
    return malformed();
  grow(out.operands, count);
  grow(out.views, count);
  grow(out.attrs, attrs);
  size_t cursor = 0;
  for (; cursor < static_cast<size_t>(attrs); cursor++) out.attrs[cursor] = f.doubles[cursor];
  out.handles = 0;
  out.in_block = false;
  for (int32_t i = 0; i < count; i++) {
    Operand& o = out.operands[i];
    const View& v = out.views[i];
    NABLA_TRY(decode_operand(f, i, cursor, o, out.views[i]));
    if (o.fresh()) {
      if (i >= outs || (o.has(flag::block) && out.in_block)) return malformed(i);
      if (o.has(flag::block))
        out.in_block = true;
      else
        out.handles++;
    } else if (i < outs && (v.scalar || !o.has(flag::write) || repeats(v))) {
      return malformed(i);
    }
  }
  return out.handles + out.has_node <= kMaxObjects ? Status{} : malformed();
}

}  // namespace nabla
