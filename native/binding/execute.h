// The op door: one frame in, one status out.
#pragma once
#include <node_api.h>

#include "binding/environment.h"

namespace nabla {

// execute(...handles of the fresh outputs in order, node?): reads the frame, runs the op, writes status and slots back.
napi_value execute(napi_env env, napi_callback_info info);
// run(): the same for a call that brings no object for native code to watch.
napi_value run_frame(napi_env env, napi_callback_info info);
// read(target): copies the frame's single operand, in row-major order, into a typed array or DataView of the same
// dtype.
napi_value read(napi_env env, napi_callback_info info);
// item(): the frame's single one-element operand as a number.
napi_value item(napi_env env, napi_callback_info info);
// create(handle, source): a fresh storage for the frame's single operand, filled from a typed array.
napi_value create(napi_env env, napi_callback_info info);

// save(node?): pins the frame's input operands to a new node, or to the node the frame names in place of what it had.
napi_value save(napi_env env, napi_callback_info info);

void process_releases(Environment& e);
void write_status(Environment& e, const Status& status);
// The exception being handled as a status: ERR_MEMORY where an allocation has failed.
Status status_of_exception();
// Reads operand number `index`; doubles are taken from `cursor`, which moves on.
Status decode_operand(Environment& e, int32_t index, size_t& cursor, Operand& out, View& view);
// Reads the operand of a frame that has one, and no attributes.
Status decode_only_operand(Environment& e, Operand& out, View& view);

// Runs what a call from JavaScript asks for and writes its status. Exceptions end here: beyond are the C frames of
// Node.
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
