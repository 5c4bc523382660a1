// Runs a TVM library (docs/formats/tvm-library.md) once on any processor, by its C function: cross compiled by
// tvm_toolchain_test and executed by qemu.
// Usage: run_library LIBRARY ARENA_BYTES INPUT COUNT [OUTPUT COUNT]... : files of COUNT float32
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { kMost = 32 };

static void* Aligned(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

int main(int argc, char** argv) {
  if (argc < 5 || argc > 3 + 2 * kMost) return 2;
  void* library = dlopen(argv[1], RTLD_NOW);
  int (*infer)(const void* const*, void* const*, void*) = library ? dlsym(library, "hot_infer") : NULL;
  if (!infer) return fprintf(stderr, "%s\n", dlerror()), 1;
  void* values[kMost];
  size_t counts[kMost];
  const int count = (argc - 3) / 2;
  for (int i = 0; i < count; ++i) {
    counts[i] = (size_t)atol(argv[4 + 2 * i]);
    values[i] = Aligned(counts[i] * sizeof(float));
  }
  FILE* file = fopen(argv[3], "rb");
  if (!file || fread(values[0], sizeof(float), counts[0], file) != counts[0]) return 1;
  fclose(file);
  const void* const inputs[] = {values[0]};
  const int status = infer(inputs, values + 1, Aligned((size_t)atol(argv[2])));
  if (status != 0) return fprintf(stderr, "hot_infer: %d\n", status), 1;
  for (int i = 1; i < count; ++i) {
    file = fopen(argv[3 + 2 * i], "wb");
    if (!file || fwrite(values[i], sizeof(float), counts[i], file) != counts[i]) return 1;
    fclose(file);
  }
  return 0;
}
