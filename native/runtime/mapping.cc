#include "runtime/mapping.h"

#ifdef _WIN32

namespace nabla {

void* map_file(int, int64_t, size_t) { return nullptr; }
void unmap_file(void*, size_t) {}

}  // namespace nabla

#else

#include <sys/mman.h>
#include <unistd.h>

namespace nabla {
namespace {

constexpr size_t kPadding = 64;  // as of every block

size_t page() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

size_t whole_pages(size_t bytes) { return (bytes + page() - 1) / page() * page(); }

}  // namespace

void* map_file(int descriptor, int64_t position, size_t bytes) {
  // Not fstat: that of a new glibc is missing from old ones.
  const off_t size = lseek(descriptor, 0, SEEK_END);
  if (bytes == 0 || position < 0 || position > size || static_cast<uint64_t>(size - position) < bytes) return nullptr;
  const size_t before = static_cast<size_t>(position) % page();
  // Anonymous pages stand behind the file's last one: reading beyond the end of a file is fatal.
  const size_t reserved = whole_pages(before + bytes + kPadding);
  void* pages = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  if (mmap(pages, whole_pages(before + bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
           descriptor, static_cast<off_t>(position - static_cast<int64_t>(before))) == MAP_FAILED) {
    munmap(pages, reserved);
    return nullptr;
  }
  return static_cast<char*>(pages) + before;
}

void unmap_file(void* data, size_t bytes) {
  const size_t before = reinterpret_cast<uintptr_t>(data) % page();
  munmap(static_cast<char*>(data) - before, whole_pages(before + bytes + kPadding));
}

}  // namespace nabla

#endif
