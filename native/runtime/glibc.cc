// Linked into the prebuilt Linux binary only: lets a binary built on a new glibc load on an old one. Since 2.34
// these symbols have new versions without a change of behavior, and libstdc++ requests the newest that it was built
// with.
#include <pthread.h>
#include <signal.h>

#if defined(__GLIBC__) && defined(__x86_64__)

// The linker (--wrap) redirects calls of `name` here; they go on to the version that every glibc has.
#define NABLA_OLDEST(name, parameters, ...)                   \
  __asm__(".symver oldest_" #name ", " #name "@GLIBC_2.2.5"); \
  extern "C" int oldest_##name parameters;                    \
  extern "C" int __wrap_##name parameters { return oldest_##name(__VA_ARGS__); }

NABLA_OLDEST(pthread_create, (pthread_t * thread, const pthread_attr_t* attr, void* (*run)(void*), void* arg), thread,
             attr, run, arg)
NABLA_OLDEST(pthread_detach, (pthread_t thread), thread)
NABLA_OLDEST(pthread_join, (pthread_t thread, void** result), thread, result)
NABLA_OLDEST(pthread_sigmask, (int how, const sigset_t* set, sigset_t* old), how, set, old)

// Since 2.32 tells libstdc++ when it may skip atomics: never.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

#endif
