// What surrounds every call from JavaScript: handles that have ended, exceptions, the status in the frame.
#pragma once
#include "binding/environment.h"

namespace nabla {

// Ends the handles and nodes whose release the frame asks for.
void process_releases(Environment& e);
void write_status(Environment& e, const Status& status);
void write_slot(Environment& e, int32_t operand, int32_t slot);
// Tracks a handle for one reference to a storage, and writes its slot into the frame's operand 0.
Status watch(Environment& e, napi_value handle, Storage* storage, const View& view);
// The current exception as a status: ERR_MEMORY for a failed allocation.
Status status_of_exception();

// Runs the body of a call from JavaScript and writes its status. Exceptions must end here, before Node's C
// frames. The status is not copied: reading it back right after it was written field by field would stall.
template <class F>
void answer(Environment& e, F&& call) {
  try {
    process_releases(e);
    write_status(e, call());
  } catch (...) {
    write_status(e, status_of_exception());
  }
}

}  // namespace nabla
