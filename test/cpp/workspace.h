#pragma once
#include "runtime/workspace.h"

namespace nabla::test {

// Of the calling thread.
inline Workspace& workspace() {
  static thread_local Workspace own;
  return own;
}

}  // namespace nabla::test
