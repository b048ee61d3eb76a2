#include "binding/transfer.h"

#include <cstring>

#include "base/half.h"
#include "binding/answer.h"
#include "binding/resolve.h"
#include "exec/registry.h"
#include "runtime/mapping.h"

namespace nabla {
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

Status copy_into(Environment& e, const View& source, void* target, DType dtype) {
  View views[2] = {source, source};
  views[0].data = target;
  views[0].dtype = dtype;
  views[0].scalar = false;
  set_contiguous(views[0]);
  double type = static_cast<int>(dtype);
  return run(Call{kIdentity, 1, 1, 1, views, &type, e.workspace});
}

}  // namespace

napi_value read(napi_env env, napi_callback_info info) {
  napi_value target;
  size_t argc = 1;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, &target, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&]() -> Status {
    Operand o;
    View view;
    NABLA_TRY(only_operand(e, o, view));
    void* bytes = nullptr;
    size_t capacity = 0;
    DType dtype;
    if (argc != 1 || !typed_array_bytes(env, target, &bytes, &capacity) || o.has(flag::fresh | flag::scalar) ||
        !array_dtype(view, capacity, dtype))
      return malformed();
    return capacity > 0 ? copy_into(e, view, bytes, dtype) : Status{};
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
    NABLA_TRY(only_operand(e, o, view));
    if (view.numel() != 1 || o.fresh()) return malformed();
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
  NABLA_TRY(only_operand(e, o, view));
  void* bytes = nullptr;
  size_t capacity = 0;
  View source = view;
  if (!o.fresh() || !typed_array_bytes(env, source_array, &bytes, &capacity) ||
      !array_dtype(view, capacity, source.dtype))
    return malformed();
  e.reserve(1, 0);
  Storage* storage = create_storage(static_cast<size_t>(view.numel()) * size_of(view.dtype), view.dtype);
  if (!storage) return out_of_memory(0, view.numel());
  Status status;
  if (source.dtype == view.dtype) {
    if (capacity > 0) std::memcpy(storage->data, bytes, capacity);
  } else {
    source.data = bytes;
    status = copy_into(e, source, storage->data, view.dtype);
  }
  if (!status.ok()) {
    release(storage);
    return status;
  }
  return watch(e, handle, storage, view);
}

Status map_tensor(Environment& e, napi_env env, const napi_value* argv, bool& mapped) {
  Operand o;
  View view;
  NABLA_TRY(only_operand(e, o, view));
  int32_t descriptor = -1;
  int64_t position = -1;
  if (!o.fresh() || napi_get_value_int32(env, argv[1], &descriptor) != napi_ok ||
      napi_get_value_int64(env, argv[2], &position) != napi_ok)
    return malformed();
  e.reserve(1, 0);
  const size_t bytes = static_cast<size_t>(view.numel()) * size_of(view.dtype);
  void* map =
      position % static_cast<int64_t>(size_of(view.dtype)) == 0 ? map_file(descriptor, position, bytes) : nullptr;
  if (!map) return {};
  Storage* storage = create_mapped_storage(map, bytes, view.dtype);
  if (!storage) return out_of_memory(0, view.numel());
  mapped = true;
  return watch(e, argv[0], storage, view);
}

}  // namespace

napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return argc == 2 ? create_tensor(e, env, argv[0], argv[1]) : malformed(); });
  return nullptr;
}

napi_value map(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  size_t argc = 3;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, argv, nullptr, &data);
  auto& e = *static_cast<Environment*>(data);
  bool mapped = false;
  answer(e, [&] { return argc == 3 ? map_tensor(e, env, argv, mapped) : malformed(); });
  napi_value result;
  napi_get_boolean(env, mapped, &result);
  return result;
}

}  // namespace nabla
