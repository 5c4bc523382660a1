// Only in builds with AddressSanitizer: it refuses dlopen(RTLD_DEEPBIND), which OpenVINO's threading library asks for.
// This dlopen stands before the sanitizer's, drops the flag and calls it.
#include <dlfcn.h>

extern "C" void* dlopen(const char* file, int mode) {
  using Dlopen = void* (*)(const char*, int);
  const auto next = reinterpret_cast<Dlopen>(dlsym(RTLD_NEXT, "dlopen"));
  return next(file, mode & ~RTLD_DEEPBIND);
}
