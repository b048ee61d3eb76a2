#include "binding/resolve.h"

namespace nabla {

Status resolve_operand(Environment& e, int32_t index, Operand& o, View& v) {
  if (v.scalar) {
    v.data = &o.value;
    return {};
  }
  if (!e.valid(o.slot, o.generation)) return fail(Code::DISPOSED, "the tensor has been disposed of", index);
  const Storage* storage = e.entry(o.slot).storage;
  const int64_t size = static_cast<int64_t>(size_of(v.dtype));
  if (storage->dtype != v.dtype || o.reach * size > static_cast<int64_t>(storage->bytes)) return malformed(index);
  if (o.has(flag::expect) && storage->version.load(std::memory_order_relaxed) != static_cast<uint32_t>(o.version))
    return fail(Code::GRADIENT, "a saved value has changed since", index,
                storage->writer.load(std::memory_order_relaxed));
  v.data = static_cast<char*>(storage->data) + o.offset * size;
  return {};
}

Status resolve(Environment& e, Instruction& instruction, Results& results) {
  const int32_t count = instruction.count();
  for (int32_t i = 0; i < count; i++) {
    Operand& o = instruction.operands[i];
    if (!o.fresh()) NABLA_TRY(resolve_operand(e, i, o, instruction.views[i]));
  }
  for (int32_t i = 0; i < instruction.outs; i++) {
    const Operand& o = instruction.operands[i];
    if (!o.fresh()) continue;
    if (o.has(flag::block) && !e.has_room(o.block)) return malformed(i);
    View& v = instruction.views[i];
    const size_t bytes = static_cast<size_t>(o.reach) * size_of(v.dtype);
    Storage* storage = bytes <= SmallStorages::kLargest ? e.small.take(bytes, v.dtype) : create_storage(bytes, v.dtype);
    if (!storage) return out_of_memory(i, o.reach);
    results.add({i, storage});
    v.data = storage->data;
  }
  return {};
}

Status only_operand(Environment& e, Operand& o, View& v) {
  size_t cursor = 0;
  NABLA_TRY(decode_operand(e.frame, 0, cursor, o, v));
  return o.fresh() ? Status{} : resolve_operand(e, 0, o, v);
}

}  // namespace nabla
