// Elements from JavaScript's memory or a file to a tensor, and back.
#pragma once
#include <node_api.h>

namespace nabla {

// read(target): copies the frame's single operand, in row-major order, into a typed array or DataView of the same
// dtype.
napi_value read(napi_env env, napi_callback_info info);
// item(): the frame's single one-element operand as a number.
napi_value item(napi_env env, napi_callback_info info);
// create(handle, source): a new storage for the frame's single operand, filled from a typed array.
napi_value create(napi_env env, napi_callback_info info);
// map(handle, descriptor, position): a storage for the frame's single operand, on a map of a file; false where the
// system cannot map it.
napi_value map(napi_env env, napi_callback_info info);

}  // namespace nabla
