// A singleton, made at first use and never destroyed, as threads may use it until the process ends.
#pragma once
#include <new>

namespace nabla {

// In static memory, so that its first use cannot run out of memory.
template <class T>
T& leaked() {
  alignas(T) static unsigned char place[sizeof(T)];
  static T* object = new (place) T;
  return *object;
}

}  // namespace nabla
