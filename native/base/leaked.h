// The one object of its type, made at first use and never destroyed: threads may use it until the process ends.
#pragma once
#include <new>

namespace nabla {

// In memory of the program itself, so that its first use cannot run out of memory.
template <class T>
T& leaked() {
  alignas(T) static unsigned char place[sizeof(T)];
  static T* object = new (place) T;
  return *object;
}

}  // namespace nabla
