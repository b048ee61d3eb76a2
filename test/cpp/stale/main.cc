// The library with one object compiled with another list.def, as an incomplete build leaves behind: it has to be named.
#include <cstdio>
#include <cstring>

#include "exec/registry.h"

int main(int, char** arguments) {
  const char* found = nabla::stale_object();
  const char* expected = arguments[1];
  const bool named = found && std::strcmp(found, expected) == 0;
  std::printf("stale: %s, expected %s\n", found ? found : "none", expected);
  return named ? 0 : 1;
}
