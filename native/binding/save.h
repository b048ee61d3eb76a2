// Values that a graph node keeps for backward.
#pragma once
#include <node_api.h>

#include "binding/environment.h"

namespace nabla {

// save(node?): pins the frame's input operands to a new node, or to the node in the frame, replacing its pins.
napi_value save(napi_env env, napi_callback_info info);

// Pins the storage of an operand of the frame, and answers with its slot and version.
void pin_operand(Environment& e, int32_t node, int32_t index, int32_t slot);

}  // namespace nabla
