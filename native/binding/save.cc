#include "binding/save.h"

#include "binding/answer.h"
#include "binding/resolve.h"

namespace nabla {
namespace {

// Pins the frame's operands to a node, a new one if an object is given, and unpins its previous ones.
Status save_operands(Environment& e, napi_value node) {
  volatile int32_t* ints = e.frame.ints;
  int32_t count = ints[field::ins], id = ints[field::node];
  if (count < 0 || count > kMaxSaved) return malformed();
  Operand operands[kMaxSaved];
  size_t cursor = 0;
  for (int32_t i = 0; i < count; i++) {
    View view;
    NABLA_TRY(decode_operand(e.frame, i, cursor, operands[i], view));
    if (operands[i].has(flag::fresh | flag::scalar)) return malformed();
    NABLA_TRY(resolve_operand(e, i, operands[i], view));
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
  for (int32_t i = 0; i < count; i++) pin_operand(e, id, i, operands[i].slot);
  for (int32_t i = 0; i < before.count; i++) e.unpin(before.slots[i]);
  return {};
}

}  // namespace

void pin_operand(Environment& e, int32_t node, int32_t index, int32_t slot) {
  e.pin(node, slot);
  write_slot(e, index, slot);
  e.frame.ints[kOperandBase + kOperandInts * index + 5] =
      static_cast<int32_t>(e.entry(slot).storage->version.load(std::memory_order_relaxed));
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
