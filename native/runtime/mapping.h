// Private, writable maps of parts of files: pages are read when they are first used, and writes stay in this process.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// nullptr where the file has no such part or the system cannot map it. At least 64 bytes beyond `bytes` are readable.
void* map_file(int descriptor, int64_t position, size_t bytes);
void unmap_file(void* data, size_t bytes);

}  // namespace nabla
