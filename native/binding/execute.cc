#include "binding/execute.h"

#include "binding/answer.h"
#include "binding/resolve.h"
#include "binding/save.h"
#include "exec/registry.h"

namespace nabla {
namespace {

void count_writes(Environment& e, const Instruction& instruction) {
  for (int32_t i = 0; i < instruction.outs; i++) {
    const Operand& o = instruction.operands[i];
    if (o.fresh()) continue;
    Storage* storage = e.entry(o.slot).storage;
    storage->writer.store(instruction.opcode, std::memory_order_relaxed);
    storage->version.fetch_add(1, std::memory_order_release);
  }
}

Status track_results(Environment& e, Instruction& instruction, Results& results, const napi_value* handles) {
  for (; !results.empty(); results.take_over()) {
    const auto [index, storage] = results.next();
    Operand& o = instruction.operands[index];
    const View& v = instruction.views[index];
    o.slot = o.has(flag::block) ? e.track_in_block(o.block, storage, v) : e.track(*handles++, storage, v);
    if (o.slot < 0) return fail(Code::NATIVE, "a handle must be an object");
    write_slot(e, index, o.slot);
  }
  return {};
}

Status track_node(Environment& e, const Instruction& instruction, napi_value object) {
  const int32_t node = e.track_node(object);
  if (node < 0) return fail(Code::NATIVE, "a node must be an object");
  e.frame.ints[field::node] = node;
  e.frame.ints[field::nodeGeneration] = e.node(node).generation;
  for (int32_t i = 0; i < instruction.count(); i++)
    if (instruction.operands[i].has(flag::save) && !instruction.views[i].scalar)
      pin_operand(e, node, i, instruction.operands[i].slot);
  return {};
}

// A program of one instruction.
Status execute_frame(Environment& e, size_t argc, const napi_value* objects) {
  Instruction& instruction = e.instruction;
  NABLA_TRY(decode(e.frame, instruction));
  if (argc != static_cast<size_t>(instruction.handles + instruction.has_node)) return malformed();
  e.reserve(static_cast<size_t>(instruction.handles + instruction.in_block), instruction.has_node);
  Results results;
  NABLA_TRY(resolve(e, instruction, results));
  NABLA_TRY(run(instruction.call(e.workspace)));
  count_writes(e, instruction);
  NABLA_TRY(track_results(e, instruction, results, objects));
  return instruction.has_node ? track_node(e, instruction, objects[instruction.handles]) : Status{};
}

}  // namespace

napi_value execute(napi_env env, napi_callback_info info) {
  napi_value objects[kMaxObjects];
  size_t argc = kMaxObjects;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, objects, nullptr, &data) != napi_ok) return nullptr;
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return execute_frame(e, argc, objects); });
  return nullptr;
}

napi_value run_frame(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  auto& e = *static_cast<Environment*>(data);
  answer(e, [&] { return execute_frame(e, 0, nullptr); });
  return nullptr;
}

}  // namespace nabla
