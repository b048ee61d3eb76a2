#include "binding/execute.h"

#include <cstring>
#include <new>
#include <vector>

#include "base/half.h"
#include "exec/call.h"

namespace nabla {
namespace {

constexpr int kArguments = 8;  // fresh outputs and a node
constexpr double kMaxInteger = 9007199254740992.0;
constexpr const char* kMalformed = "the call frame is malformed";
constexpr const char* kOutOfMemory = "out of memory";

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
  first = last = 0;
  for (int i = 0; i < v.rank; i++) {
    if (v.dims[i] == 0) {
      first = last = 0;
      return true;
    }
    int64_t span;
    if (__builtin_mul_overflow(v.dims[i] - 1, v.strides[i], &span)) return false;
    int64_t& end = span < 0 ? first : last;
    if (__builtin_add_overflow(end, span, &end)) return false;
  }
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
  if (n > (int64_t{1} << 50)) return false;
  if (empty) n = 0;
  return true;
}

// Whether a checked view has more elements than distinct positions, so that some would be written several times.
bool repeats(const View& v) {
  int64_t first, last;
  return !extent(v, first, last) || v.numel() > last - first + 1;
}

}  // namespace

Status status_of_exception() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return fail(Code::MEMORY, kOutOfMemory);
  } catch (...) {
    return fail(Code::NATIVE, "native code has thrown an exception");
  }
}

void write_status(Environment& e, const Status& status) {
  volatile int32_t* ints = e.frame.ints;
  ints[field::code] = static_cast<int32_t>(status.code);
  ints[field::operand] = status.operand;
  ints[field::detail] = static_cast<int32_t>(status.detail);
  ints[field::detailHigh] = static_cast<int32_t>(status.detail >> 32);
  e.message = status.message;
  if (e.under_pressure()) ints[field::pressure] = 1;
}

void process_releases(Environment& e) {
  volatile int32_t* ints = e.frame.ints;
  int32_t count = ints[field::releases];
  if (count == 0) return;
  ints[field::releases] = 0;
  if (count < 0 || count > kReleaseCapacity) return;
  for (int32_t i = 0; i < count; i++) {
    int32_t slot = ints[kReleaseBase + 2 * i], generation = ints[kReleaseBase + 2 * i + 1];
    if (slot >= 0) {
      if (e.valid(slot, generation)) e.dispose(slot);
    } else {
      int32_t node = -1 - slot;
      if (e.valid_node(node, generation)) e.release_node(node);
      if (e.valid_node(node, -generation)) e.release_pins(node);
    }
  }
}

Status decode_operand(Environment& e, int32_t index, size_t& cursor, Operand& out, View& v) {
  const Frame& f = e.frame;
  const volatile int32_t* ints = f.ints + kOperandBase + kOperandInts * index;
  out.slot = ints[0];
  out.generation = ints[1];
  int32_t dtype = ints[2], rank = ints[3];
  out.flags = ints[4];
  out.version = ints[5];
  out.block = ints[6];
  if (dtype < 0 || dtype >= kDTypeCount || rank < 0 || rank > kMaxRank) return fail(Code::NATIVE, kMalformed, index);
  v.dtype = static_cast<DType>(dtype);
  v.rank = rank;
  v.scalar = (out.flags & flag::scalar) != 0;
  if (v.scalar) {
    if (cursor + 2 > f.double_count || rank != 0) return fail(Code::NATIVE, kMalformed, index);
    double value = f.doubles[cursor], low = f.doubles[cursor + 1];
    cursor += 2;
    if (!fits_scalar(v.dtype, value, low)) return fail(Code::NATIVE, kMalformed, index);
    out.value = pack_scalar(v.dtype, value, low);
    v.data = &out.value;
    return {};
  }
  bool fresh = (out.flags & flag::fresh) != 0;
  int64_t offset = 0;
  if (!fresh && !read_integer(f, cursor, offset)) return fail(Code::NATIVE, kMalformed, index);
  for (int i = 0; i < rank; i++)
    if (!read_integer(f, cursor, v.dims[i]) || v.dims[i] < 0) return fail(Code::NATIVE, kMalformed, index);
  int64_t n;
  if (!count_elements(v, n)) return fail(Code::MEMORY, "the tensor is too large", index);
  const bool contiguous = fresh || (out.flags & flag::contiguous);
  if (contiguous) {
    set_contiguous(v);
  } else {
    for (int i = 0; i < rank; i++)
      if (!read_integer(f, cursor, v.strides[i])) return fail(Code::NATIVE, kMalformed, index);
  }
  if (fresh) return {};
  if (!e.valid(out.slot, out.generation)) return fail(Code::DISPOSED, "the tensor has been disposed of", index);
  Storage* storage = e.entry(out.slot).storage;
  if (storage->dtype != v.dtype) return fail(Code::NATIVE, kMalformed, index);
  int64_t size = static_cast<int64_t>(size_of(v.dtype)), first = 0, last = n - 1;
  int64_t elements = static_cast<int64_t>(storage->bytes) / size;
  if ((!contiguous && !extent(v, first, last)) || offset < 0 || offset > elements)
    return fail(Code::NATIVE, kMalformed, index);
  if (n > 0 && (offset + first < 0 || offset > elements - 1 - last)) return fail(Code::NATIVE, kMalformed, index);
  if ((out.flags & flag::expect) &&
      storage->version.load(std::memory_order_relaxed) != static_cast<uint32_t>(out.version))
    return fail(Code::GRADIENT, "a saved value has changed since", index,
                storage->writer.load(std::memory_order_relaxed));
  v.data = static_cast<char*>(storage->data) + offset * size;
  return {};
}

namespace {

Status execute_frame(Environment& e, size_t argc, napi_value* argv) {
  const Frame& f = e.frame;
  volatile int32_t* ints = f.ints;
  int32_t outs = ints[field::outs], ins = ints[field::ins], attrs = ints[field::attrs];
  int32_t opcode = ints[field::opcode];
  bool has_node = ints[field::hasNode] != 0;
  if (opcode < 0 || opcode >= opcode_count() || outs < 0 || ins < 0 || attrs < 0) return fail(Code::NATIVE, kMalformed);
  int64_t count = int64_t{outs} + ins;
  if (kOperandBase + count * kOperandInts > static_cast<int64_t>(f.int_count) ||
      static_cast<size_t>(attrs) > f.double_count)
    return fail(Code::NATIVE, kMalformed);
  Decoded& d = e.decoded;
  if (d.operands.size() < static_cast<size_t>(count)) d.operands.resize(count);
  if (d.views.size() < static_cast<size_t>(count)) d.views.resize(count);
  if (d.attrs.size() < static_cast<size_t>(attrs)) d.attrs.resize(attrs);
  size_t cursor = 0;
  for (; cursor < static_cast<size_t>(attrs); cursor++) d.attrs[cursor] = f.doubles[cursor];

  size_t fresh_count = 0;
  bool in_block = false;
  for (int32_t i = 0; i < count; i++) {
    Operand& o = d.operands[i];
    NABLA_TRY(decode_operand(e, i, cursor, o, d.views[i]));
    bool fresh = (o.flags & flag::fresh) != 0;
    if (fresh && i >= outs) return fail(Code::NATIVE, kMalformed, i);
    if (i < outs && !fresh && (d.views[i].scalar || !(o.flags & flag::write) || repeats(d.views[i])))
      return fail(Code::NATIVE, kMalformed, i);
    if (fresh && (o.flags & flag::block)) {
      if (in_block || !e.has_room(o.block)) return fail(Code::NATIVE, kMalformed, i);
      in_block = true;
    } else {
      fresh_count += fresh;
    }
  }
  if (argc != fresh_count + (has_node ? 1 : 0) || argc > kArguments) return fail(Code::NATIVE, kMalformed);
  e.reserve(fresh_count + in_block, has_node);

  struct Fresh {
    int32_t operand;
    Storage* storage;
  } fresh[kArguments + 1];
  size_t made = 0;
  auto abandon = [&] {
    for (size_t i = 0; i < made; i++) release(fresh[i].storage);
  };
  for (int32_t i = 0; i < outs; i++) {
    Operand& o = d.operands[i];
    if (!(o.flags & flag::fresh)) continue;
    View& v = d.views[i];
    int64_t n = v.numel();
    const size_t bytes = static_cast<size_t>(n) * size_of(v.dtype);
    Storage* storage = bytes <= SmallStorages::kLargest ? e.small.take(bytes, v.dtype) : create_storage(bytes, v.dtype);
    if (!storage) {
      abandon();
      return fail(Code::MEMORY, kOutOfMemory, i, n);
    }
    fresh[made++] = {i, storage};
    v.data = storage->data;
  }
  Call call{opcode, outs, ins, attrs, d.views.data(), d.attrs.data()};
  Status status = run(call);
  if (!status.ok()) {
    abandon();
    return status;
  }
  for (int32_t i = 0; i < outs; i++) {
    if (d.operands[i].flags & flag::fresh) continue;
    Storage* storage = e.entry(d.operands[i].slot).storage;
    storage->writer.store(opcode, std::memory_order_relaxed);
    storage->version.fetch_add(1, std::memory_order_release);
  }
  size_t argument = 0;
  for (size_t i = 0; i < made; i++) {
    Operand& o = d.operands[fresh[i].operand];
    const View& v = d.views[fresh[i].operand];
    int32_t slot = (o.flags & flag::block) ? e.track_in_block(o.block, fresh[i].storage, v)
                                           : e.track(argv[argument++], fresh[i].storage, v);
    if (slot < 0) {
      for (size_t rest = i; rest < made; rest++) release(fresh[rest].storage);
      return fail(Code::NATIVE, "a handle must be an object");
    }
    o.slot = slot;
    volatile int32_t* record = ints + kOperandBase + kOperandInts * fresh[i].operand;
    record[0] = slot;
    record[1] = e.entry(slot).generation;
  }
  if (has_node) {
    int32_t node = e.track_node(argv[argument]);
    if (node < 0) return fail(Code::NATIVE, "a node must be an object");
    ints[field::node] = node;
    ints[field::nodeGeneration] = e.node(node).generation;
    for (int32_t i = 0; i < count; i++) {
      if (!(d.operands[i].flags & flag::save) || d.views[i].scalar) continue;
      int32_t slot = d.operands[i].slot;
      e.pin(node, slot);
      volatile int32_t* record = ints + kOperandBase + kOperandInts * i;
      record[0] = slot;
      record[1] = e.entry(slot).generation;
      record[5] = static_cast<int32_t>(e.entry(slot).storage->version.load(std::memory_order_relaxed));
    }
  }
  return {};
}

}  // namespace

napi_value execute(napi_env env, napi_callback_info info) {
  napi_value argv[kArguments];
  size_t argc = kArguments;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return execute_frame(e, argc, argv); });
  return nullptr;
}

napi_value run_frame(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return execute_frame(e, 0, nullptr); });
  return nullptr;
}

namespace {

bool typed_array_bytes(napi_env env, napi_value value, void** data, size_t* bytes) {
  bool is = false;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  napi_typedarray_type type;
  size_t length;
  if (napi_get_typedarray_info(env, value, &type, &length, data, nullptr, nullptr) != napi_ok) return false;
  constexpr size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  if (static_cast<size_t>(type) >= sizeof sizes / sizeof *sizes) return false;
  *bytes = length * sizes[type];
  return true;
}

const int32_t kIdentity = [] {
  for (int32_t i = 0; i < opcode_count(); i++)
    if (std::strcmp(opcode_name(i), "identity") == 0) return i;
  return -1;
}();

// How a tensor's elements are stored in a typed array: as they are; half precision alternatively as floats.
bool array_dtype(const View& v, size_t bytes, DType& dtype) {
  const size_t n = static_cast<size_t>(v.numel());
  dtype = v.dtype;
  if (bytes == n * size_of(dtype)) return true;
  if (!is_half(dtype)) return false;
  dtype = bytes == n * sizeof(float) ? DType::F32 : DType::F64;
  return bytes == n * size_of(dtype);
}

Status copy_into(const View& source, void* target, DType dtype) {
  View views[2] = {source, source};
  views[0].data = target;
  views[0].dtype = dtype;
  views[0].scalar = false;
  set_contiguous(views[0]);
  double type = static_cast<int>(dtype);
  return run(Call{kIdentity, 1, 1, 1, views, &type});
}

}  // namespace

Status decode_only_operand(Environment& e, Operand& out, View& view) {
  size_t cursor = 0;
  return decode_operand(e, 0, cursor, out, view);
}

napi_value read(napi_env env, napi_callback_info info) {
  napi_value target;
  size_t argc = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, &target, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&]() -> Status {
    Operand o;
    View view;
    NABLA_TRY(decode_only_operand(e, o, view));
    void* bytes = nullptr;
    size_t capacity = 0;
    DType dtype;
    if (argc != 1 || !typed_array_bytes(env, target, &bytes, &capacity) || (o.flags & (flag::fresh | flag::scalar)) ||
        !array_dtype(view, capacity, dtype))
      return fail(Code::NATIVE, kMalformed);
    return capacity > 0 ? copy_into(view, bytes, dtype) : Status{};
  });
  return nullptr;
}

napi_value item(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  size_t argc = 0;
  napi_get_cb_info(env, info, &argc, nullptr, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  double value = 0;
  answer(e, [&]() -> Status {
    Operand o;
    View view;
    NABLA_TRY(decode_only_operand(e, o, view));
    if (view.numel() != 1 || (o.flags & flag::fresh)) return fail(Code::NATIVE, kMalformed);
    switch (view.dtype) {
      case DType::F32: value = *view.as<float>(); break;
      case DType::F64: value = *view.as<double>(); break;
      case DType::I32: value = *view.as<int32_t>(); break;
      case DType::U8: value = *view.as<uint8_t>(); break;
      case DType::BOOL: value = *view.as<bool>(); break;
      case DType::BF16: value = widen(*view.as<BFloat16>()); break;
      case DType::F16: value = widen(*view.as<Float16>()); break;
      case DType::I64: {
        int64_t integer = *view.as<int64_t>();
        value = static_cast<double>(integer);
        if (integer > int64_t{9007199254740991} || integer < -int64_t{9007199254740991})
          return fail(Code::DTYPE, "the value is not exact as a number");
        break;
      }
    }
    return {};
  });
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

namespace {

Status create_tensor(Environment& e, napi_env env, napi_value handle, napi_value source_array) {
  Operand o;
  View view;
  NABLA_TRY(decode_only_operand(e, o, view));
  void* bytes = nullptr;
  size_t capacity = 0;
  View source = view;
  if (!(o.flags & flag::fresh) || !typed_array_bytes(env, source_array, &bytes, &capacity) ||
      !array_dtype(view, capacity, source.dtype))
    return fail(Code::NATIVE, kMalformed);
  e.reserve(1, 0);
  Storage* storage = create_storage(static_cast<size_t>(view.numel()) * size_of(view.dtype), view.dtype);
  if (!storage) return fail(Code::MEMORY, kOutOfMemory, 0, view.numel());
  Status status;
  if (source.dtype == view.dtype) {
    if (capacity > 0) std::memcpy(storage->data, bytes, capacity);
  } else {
    source.data = bytes;
    status = copy_into(source, storage->data, view.dtype);
  }
  int32_t slot = status.ok() ? e.track(handle, storage, view) : -1;
  if (slot < 0) {
    release(storage);
    return status.ok() ? fail(Code::NATIVE, "a handle must be an object") : status;
  }
  e.frame.ints[kOperandBase] = slot;
  e.frame.ints[kOperandBase + 1] = e.entry(slot).generation;
  return {};
}

// Pins the frame's operands to a node, a new one if an object is given, and unpins its previous ones.
Status save_operands(Environment& e, napi_value node) {
  volatile int32_t* ints = e.frame.ints;
  int32_t count = ints[field::ins], id = ints[field::node];
  if (count < 0 || count > kMaxSaved) return fail(Code::NATIVE, kMalformed);
  Operand operands[kMaxSaved];
  size_t cursor = 0;
  for (int32_t i = 0; i < count; i++) {
    View view;
    NABLA_TRY(decode_operand(e, i, cursor, operands[i], view));
    if (operands[i].flags & (flag::fresh | flag::scalar)) return fail(Code::NATIVE, kMalformed);
  }
  if (node) {
    e.reserve(0, 1);
    id = e.track_node(node);
    if (id < 0) return fail(Code::NATIVE, "a node must be an object");
  } else if (!e.valid_node(id, ints[field::nodeGeneration])) {
    return fail(Code::NATIVE, "the node is gone");
  }
  ints[field::node] = id;
  ints[field::nodeGeneration] = e.node(id).generation;
  Node before = e.node(id);
  e.node(id).count = 0;
  for (int32_t i = 0; i < count; i++) {
    e.pin(id, operands[i].slot);
    ints[kOperandBase + kOperandInts * i + 5] =
        static_cast<int32_t>(e.entry(operands[i].slot).storage->version.load(std::memory_order_relaxed));
  }
  for (int32_t i = 0; i < before.count; i++) e.unpin(before.slots[i]);
  return {};
}

}  // namespace

napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return argc == 2 ? create_tensor(e, env, argv[0], argv[1]) : fail(Code::NATIVE, kMalformed); });
  return nullptr;
}

napi_value save(napi_env env, napi_callback_info info) {
  napi_value node;
  size_t argc = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, &node, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return save_operands(e, argc == 1 ? node : nullptr); });
  return nullptr;
}

}  // namespace nabla
