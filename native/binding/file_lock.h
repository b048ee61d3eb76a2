// Locks on files, which the kernel ends with the process that holds them.
#pragma once
#include <napi.h>

namespace nabla {

// lockFile(path): a function that ends the lock; "taken" while another holds it, "none" where there are no locks. The
// lock also ends with the function and with the thread.
Napi::Value lock_file(const Napi::CallbackInfo& info);

}  // namespace nabla
