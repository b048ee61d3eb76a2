// Entry points for ops: a frame in, a status out.
#pragma once
#include <node_api.h>

#include "binding/environment.h"

namespace nabla {

// execute(...handles of new outputs in order, node?): runs the frame's op, and writes status and slots back.
napi_value execute(napi_env env, napi_callback_info info);
// run(): the same for a call without objects for native code to track.
napi_value run_frame(napi_env env, napi_callback_info info);
// read(target): copies the frame's single operand, in row-major order, into a typed array or DataView of the same
// dtype.
napi_value read(napi_env env, napi_callback_info info);
// item(): the frame's single one-element operand as a number.
napi_value item(napi_env env, napi_callback_info info);
// create(handle, source): a new storage for the frame's single operand, filled from a typed array.
napi_value create(napi_env env, napi_callback_info info);

// save(node?): pins the frame's input operands to a new node, or to the node in the frame, replacing its pins.
napi_value save(napi_env env, napi_callback_info info);

void process_releases(Environment& e);
void write_status(Environment& e, const Status& status);
// The current exception as a status: ERR_MEMORY for a failed allocation.
Status status_of_exception();
// Reads operand number `index`; doubles are read at `cursor`, which advances.
Status decode_operand(Environment& e, int32_t index, size_t& cursor, Operand& out, View& view);
// Reads the operand of a frame with exactly one operand and no attributes.
Status decode_only_operand(Environment& e, Operand& out, View& view);

// Runs the body of a call from JavaScript and writes its status. Exceptions must end here, before Node's C
// frames.
template <class F>
void answer(Environment& e, F&& call) {
  Status status;
  try {
    process_releases(e);
    status = call();
  } catch (...) {
    status = status_of_exception();
  }
  write_status(e, status);
}

}  // namespace nabla
