// The module: functions for JavaScript, and the state of each environment.
#include <napi.h>

#include <cstring>
#include <mutex>
#include <string>

#include "base/settings.h"
#include "binding/answer.h"
#include "binding/environment.h"
#include "binding/execute.h"
#include "binding/file_lock.h"
#include "binding/resolve.h"
#include "binding/save.h"
#include "binding/transfer.h"
#include "exec/registry.h"
#include "kernels/table.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
#ifdef NABLA_FAILING
// test/native/failing.cc
Napi::Value fail_allocation(const Napi::CallbackInfo& info);
Napi::Value driver_allocations(const Napi::CallbackInfo& info);
#endif
namespace {

Environment& environment(const Napi::CallbackInfo& info) { return *static_cast<Environment*>(info.Data()); }

Napi::Object numbers(Napi::Env env, std::initializer_list<std::pair<const char*, double>> pairs) {
  Napi::Object object = Napi::Object::New(env);
  for (auto& [name, value] : pairs) object.Set(name, value);
  return object;
}

// The layout of the frame and the list of kernels for lib/native/, so that no number is defined twice.
Napi::Value layout(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
#define X(name, index) {#name, index},
  result.Set("header", numbers(env, {NABLA_FRAME_HEADER(X)}));
  result.Set("flags", numbers(env, {NABLA_OPERAND_FLAGS(X)}));
#undef X
  result.Set("releaseBase", kReleaseBase);
  result.Set("releaseCapacity", kReleaseCapacity);
  result.Set("operandBase", kOperandBase);
  result.Set("operandInts", kOperandInts);
  result.Set("blockSlots", kBlockSlots);
  result.Set("blockBytes", kBlockBytes);
  result.Set("maxRank", kMaxRank);
  result.Set("maxSaved", kMaxSaved);
  Napi::Object dtypes = Napi::Object::New(env);
  for (int i = 0; i < kDTypeCount; i++) dtypes.Set(kDTypeNames[i], i);
  result.Set("dtypes", dtypes);
  Napi::Object opcodes = Napi::Object::New(env);
  for (int i = 0; i < opcode_count(); i++) opcodes.Set(opcode_name(i), i);
  result.Set("opcodes", opcodes);
  Napi::Array codes = Napi::Array::New(env);
  for (uint32_t i = 0; i < sizeof kCodeNames / sizeof *kCodeNames; i++) codes.Set(i, kCodeNames[i]);
  result.Set("codes", codes);
  return result;
}

Napi::Value set_frame(const Napi::CallbackInfo& info) {
  Frame frame;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (info.Length() < 2 ||
      napi_get_typedarray_info(info.Env(), info[0], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || length < static_cast<size_t>(kSmallestFrame))
    return Napi::Boolean::New(info.Env(), false);
  frame.ints = static_cast<int32_t*>(data);
  frame.int_count = length;
  if (napi_get_typedarray_info(info.Env(), info[1], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array)
    return Napi::Boolean::New(info.Env(), false);
  frame.doubles = static_cast<double*>(data);
  frame.double_count = length;
  Environment& e = environment(info);
  napi_ref refs[2];
  for (int i = 0; i < 2; i++) {
    if (napi_create_reference(info.Env(), info[i], 1, &refs[i]) != napi_ok)
      return Napi::Boolean::New(info.Env(), false);
    if (e.frame_refs[i]) napi_delete_reference(info.Env(), e.frame_refs[i]);
    e.frame_refs[i] = refs[i];
  }
  e.frame = frame;
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value flush(const Napi::CallbackInfo& info) {
  process_releases(environment(info));
  return info.Env().Undefined();
}

Napi::Value reclaim(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  process_releases(e);
  double freed = static_cast<double>(e.reclaim());
  e.frame.ints[field::pressure] = 0;
  return Napi::Number::New(info.Env(), freed);
}

// sinceReclaim(bytes?, handles?): the bytes allocated since the last reclaim; with numbers, the next is due after so
// many of both.
Napi::Value since_reclaim(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  if (info[0].IsNumber()) e.byte_bound = info[0].As<Napi::Number>().Int64Value();
  if (info[1].IsNumber()) e.least_handles = info[1].As<Napi::Number>().Int64Value();
  return Napi::Number::New(info.Env(), static_cast<double>(e.since_bytes()));
}

// The storage of the frame's single operand.
Status operand_storage(Environment& e, Storage*& storage, View& view) {
  Operand o;
  NABLA_TRY(only_operand(e, o, view));
  if (o.has(flag::fresh | flag::scalar)) return malformed();
  storage = e.entry(o.slot).storage;
  return {};
}

// adopt(handle): makes a new handle for the storage of the frame's single operand.
Napi::Value adopt(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  answer(e, [&]() -> Status {
    Storage* storage;
    View view;
    NABLA_TRY(operand_storage(e, storage, view));
    e.reserve(1, 0);
    retain(storage);
    return watch(e, info[0], storage, view);
  });
  return info.Env().Undefined();
}

// block(object): the number of a new block that lives as long as the object.
Napi::Value block(const Napi::CallbackInfo& info) {
  int32_t id = -1;
  answer(environment(info), [&] {
    if (info.Length() > 0) id = environment(info).track_block(info[0]);
    return id < 0 ? fail(Code::NATIVE, "a block must be an object") : Status{};
  });
  return Napi::Number::New(info.Env(), id);
}

// share(hold): the id of the storage of the frame's single operand; with `hold`, the message keeps a reference.
Napi::Value share(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  const bool hold = info.Length() > 0 && info[0].ToBoolean();
  double id = 0;
  answer(e, [&]() -> Status {
    Storage* storage;
    View view;
    NABLA_TRY(operand_storage(e, storage, view));
    id = static_cast<double>(share_storage(storage, hold ? &e : nullptr));
    return {};
  });
  return Napi::Number::New(info.Env(), id);
}

// version(): how often the storage that the frame's single operand names has been written to.
Napi::Value version(const Napi::CallbackInfo& info) {
  double times = 0;
  answer(environment(info), [&]() -> Status {
    Storage* storage;
    View view;
    NABLA_TRY(operand_storage(environment(info), storage, view));
    times = static_cast<double>(storage->version.load(std::memory_order_relaxed));
    return {};
  });
  return Napi::Number::New(info.Env(), times);
}

// attach(handle, id): the slot of that storage in the frame's operand 0, or false where nothing holds it any more.
Napi::Value attach(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  const double id = info.Length() == 2 && info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
  bool found = false;
  answer(e, [&]() -> Status {
    e.reserve(1, 0);
    Storage* storage = id >= 1 && id < 9e15 ? attach_storage(static_cast<uint64_t>(id)) : nullptr;
    if (!storage) return {};
    View view;
    view.dtype = DType::U8;
    view.rank = 1;
    view.dims[0] = static_cast<int64_t>(storage->bytes);
    NABLA_TRY(watch(e, info[0], storage, view));
    found = true;
    return {};
  });
  return Napi::Boolean::New(info.Env(), found);
}

// origin(proposed): distinguishes this library's ids from those of other processes and copies. The first number
// proposed, a random integer of at least 1, is kept.
Napi::Value origin(const Napi::CallbackInfo& info) {
  const double proposed = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 1;
  const double usable = proposed >= 1 && proposed < 9e15 ? proposed : 1;
  return Napi::Number::New(info.Env(), static_cast<double>(registry_origin(static_cast<uint64_t>(usable))));
}

Napi::Value stats(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  process_releases(e);
  MemoryStats memory = memory_stats();
  return numbers(info.Env(), {{"liveStorages", static_cast<double>(live_storages())},
                              {"liveBytes", static_cast<double>(live_storage_bytes())},
                              {"cachedBytes", static_cast<double>(memory.cached_bytes)},
                              {"peakBytes", static_cast<double>(memory.peak_bytes)},
                              {"limitBytes", static_cast<double>(memory.limit_bytes)},
                              {"handles", static_cast<double>(e.live_handles())}});
}

Napi::Value message(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), environment(info).message); }

Napi::Value largest(const Napi::CallbackInfo& info) {
  char text[512];
  environment(info).describe_largest(text, sizeof text);
  return Napi::String::New(info.Env(), text);
}

// claim(object, bytes): counts memory allocated by JavaScript while the object lives; false if it would exceed the
// limit.
Napi::Value claim(const Napi::CallbackInfo& info) {
  const bool fits = info.Length() == 2 && info[1].IsNumber() &&
                    environment(info).claim(info[0], info[1].As<Napi::Number>().Int64Value());
  return Napi::Boolean::New(info.Env(), fits);
}

// activity(): two counters: of what this thread makes, and of large blocks taken by any thread.
Napi::Value activity(const Napi::CallbackInfo& info) {
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0u, static_cast<double>(environment(info).made()));
  both.Set(1u, static_cast<double>(large_blocks_taken()));
  return both;
}

// trim(keep = 0): returns scratch memory, and cached memory to the system until so many bytes remain.
Napi::Value trim(const Napi::CallbackInfo& info) {
  environment(info).workspace.release();
  trim_memory(info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().Int64Value() : 0);
  return info.Env().Undefined();
}

Napi::Value reset_peak_bytes(const Napi::CallbackInfo& info) {
  reset_peak();
  return info.Env().Undefined();
}

// setThreads(n): sets the calling thread's limit; 0 removes it. Without an argument: returns the limit.
Napi::Value threads(const Napi::CallbackInfo& info) {
  if (info.Length() > 0 && info[0].IsNumber()) set_thread_limit(info[0].As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), thread_limit());
}

Napi::Value pool_threads(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), pool_size()); }

// isa(name?): forces an instruction set if a name is given; returns the one in use, or "" if it cannot run here.
Napi::Value isa(const Napi::CallbackInfo& info) {
  if (info.Length() > 0 && info[0].IsString() && !force_isa(info[0].As<Napi::String>().Utf8Value().c_str()))
    return Napi::String::New(info.Env(), "");
  return Napi::String::New(info.Env(), kernels().isa);
}

Napi::Value isas(const Napi::CallbackInfo& info) {
  const KernelTable* tables[8];
  int n = available_isas(tables, 8);
  Napi::Array names = Napi::Array::New(info.Env(), n);
  for (int i = 0; i < n; i++) names.Set(i, tables[i]->isa);
  return names;
}

// unusableSetting(): [variable, what is allowed] for the first invalid environment variable, or undefined.
Napi::Value unusable_variable(const Napi::CallbackInfo& info) {
  UnusableSetting unusable = unusable_setting();
  std::string names;
  const KernelTable* tables[8];
  const int n = available_isas(tables, 8);
  bool runs = *settings().isa == 0;
  for (int i = 0; i < n; i++) {
    runs = runs || std::strcmp(tables[i]->isa, settings().isa) == 0;
    names += std::string(i ? ", " : "one that this machine can run: ") + tables[i]->isa;
  }
  if (!unusable.variable && !runs) unusable = {"NABLA_ISA", names.c_str()};
  if (!unusable.variable) return info.Env().Undefined();
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, unusable.variable);
  pair.Set(1u, unusable.valid);
  return pair;
}

Napi::Value lock_flags(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  if (!e.holds_flags) flag_mutex().lock();
  e.holds_flags = true;
  return info.Env().Undefined();
}
Napi::Value unlock_flags(const Napi::CallbackInfo& info) {
  Environment& e = environment(info);
  if (e.holds_flags) flag_mutex().unlock();
  e.holds_flags = false;
  return info.Env().Undefined();
}

void delete_environment(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

// A terminating worker cannot create values. Its result is ignored, and throwing would end the process. Any other
// exception becomes the status.
template <Napi::Value (*CALLBACK)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return CALLBACK(info);
  } catch (const Napi::Error&) {
    return {};
  } catch (...) {
    write_status(environment(info), status_of_exception());
    return {};
  }
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (const char* source = stale_object()) {
    Napi::Error::New(env, std::string(source) + " was compiled with another native/kernels/list.def than the rest of " +
                              "the library: delete the build folder and build again")
        .ThrowAsJavaScriptException();
    return exports;
  }
  auto* e = new Environment(env);
  napi_set_instance_data(env, e, delete_environment, nullptr);
  auto raw = [&](const char* name, napi_callback callback) {
    napi_value f = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, e, &f);
    exports.Set(name, Napi::Value(env, f));
  };
  raw("execute", execute);
  raw("run", run_frame);
  raw("read", read);
  raw("item", item);
  raw("create", create);
  raw("map", map);
  raw("save", save);
  auto wrapped = [&](const char* name, Napi::Value (*callback)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, callback, name, e));
  };
  wrapped("layout", guarded<layout>);
  wrapped("setFrame", guarded<set_frame>);
  wrapped("flush", guarded<flush>);
  wrapped("reclaim", guarded<reclaim>);
  wrapped("sinceReclaim", guarded<since_reclaim>);
  wrapped("adopt", guarded<adopt>);
  wrapped("block", guarded<block>);
  wrapped("share", guarded<share>);
  wrapped("version", guarded<version>);
  wrapped("attach", guarded<attach>);
  wrapped("origin", guarded<origin>);
  wrapped("stats", guarded<stats>);
  wrapped("message", guarded<message>);
  wrapped("largest", guarded<largest>);
  wrapped("claim", guarded<claim>);
  wrapped("activity", guarded<activity>);
  wrapped("trim", guarded<trim>);
  wrapped("resetPeak", guarded<reset_peak_bytes>);
  wrapped("threads", guarded<threads>);
  wrapped("poolThreads", guarded<pool_threads>);
  wrapped("isa", guarded<isa>);
  wrapped("isas", guarded<isas>);
  wrapped("unusableSetting", guarded<unusable_variable>);
  wrapped("lockFlags", guarded<lock_flags>);
  wrapped("unlockFlags", guarded<unlock_flags>);
  wrapped("lockFile", guarded<lock_file>);
#ifdef NABLA_FAILING
  wrapped("failAllocation", guarded<fail_allocation>);
  wrapped("driverAllocations", guarded<driver_allocations>);
#endif
  return exports;
}

}  // namespace
}  // namespace nabla

static Napi::Object nabla_init(Napi::Env env, Napi::Object exports) {
  try {
    return nabla::init(env, exports);
  } catch (const Napi::Error&) {
    return exports;
  }
}
NODE_API_MODULE(nabla, nabla_init)
