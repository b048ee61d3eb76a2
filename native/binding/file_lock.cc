#include "binding/file_lock.h"

#include <memory>

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace nabla {
namespace {

// An open file with a lock on it. Closing the file ends the lock; a child process does not inherit it.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { end(); }

#ifdef _WIN32
  bool acquire(const Napi::String& path) {
    const std::u16string name = path.Utf16Value();
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    file_ = CreateFileW(reinterpret_cast<const wchar_t*>(name.c_str()), GENERIC_READ | GENERIC_WRITE, shared, nullptr,
                        OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file_ == INVALID_HANDLE_VALUE) return false;
    OVERLAPPED first_byte = {};
    if (LockFileEx(file_, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &first_byte)) return true;
    const DWORD error = GetLastError();
    taken_ = error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING;
    return false;
  }
  void end() {
    if (file_ != INVALID_HANDLE_VALUE) CloseHandle(file_);
    file_ = INVALID_HANDLE_VALUE;
  }
#else
  bool acquire(const Napi::String& path) {
    file_ = open(path.Utf8Value().c_str(), O_RDWR | O_CLOEXEC);
    if (file_ < 0) return false;
    int result;
    do result = flock(file_, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    taken_ = result != 0 && errno == EWOULDBLOCK;
    return result == 0;
  }
  void end() {
    if (file_ >= 0) close(file_);
    file_ = -1;
  }
#endif
  bool taken() const { return taken_; }

 private:
#ifdef _WIN32
  HANDLE file_ = INVALID_HANDLE_VALUE;
#else
  int file_ = -1;
#endif
  bool taken_ = false;
};

Napi::Value release(const Napi::CallbackInfo& info) {
  static_cast<FileLock*>(info.Data())->end();
  return info.Env().Undefined();
}

}  // namespace

Napi::Value lock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) return Napi::String::New(env, "none");
  auto lock = std::make_unique<FileLock>();
  if (!lock->acquire(info[0].As<Napi::String>())) return Napi::String::New(env, lock->taken() ? "taken" : "none");
  Napi::Function end = Napi::Function::New<release>(env, "release", lock.get());
  end.AddFinalizer([](Napi::Env, FileLock* ended) { delete ended; }, lock.get());
  lock.release();
  return end;
}

}  // namespace nabla
