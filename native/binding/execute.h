// Runs the frame's op at once.
#pragma once
#include <node_api.h>

namespace nabla {

// execute(...handles of new outputs in order, node?): runs the frame's op, and writes status and slots back.
napi_value execute(napi_env env, napi_callback_info info);
// run(): the same for a call without objects for native code to track.
napi_value run_frame(napi_env env, napi_callback_info info);

}  // namespace nabla
