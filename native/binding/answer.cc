#include "binding/answer.h"

#include <new>

namespace nabla {

Status status_of_exception() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
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
  if (status.code == Code::MEMORY) e.workspace.release();  // for the next try
  if (e.under_pressure()) ints[field::pressure] = 1;
}

void write_slot(Environment& e, int32_t operand, int32_t slot) {
  volatile int32_t* record = e.frame.ints + kOperandBase + kOperandInts * operand;
  record[0] = slot;
  record[1] = e.entry(slot).generation;
}

Status watch(Environment& e, napi_value handle, Storage* storage, const View& view) {
  int32_t slot = e.track(handle, storage, view);
  if (slot < 0) {
    release(storage);
    return fail(Code::NATIVE, "a handle must be an object");
  }
  write_slot(e, 0, slot);
  return {};
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

}  // namespace nabla
