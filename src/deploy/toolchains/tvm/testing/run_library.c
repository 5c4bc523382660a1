// Runs a TVM library (docs/formats/tvm-library.md) once on any processor, in place of libtvm_ffi: cross compiled by
// tvm_toolchain_test and executed by qemu.
// Usage: run_library LIBRARY ARENA_BYTES STEPS INPUT "1,3,32,32" [OUTPUT "1,8,8,8"]... : files of float32
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// tvm-ffi's and DLPack's C types, as far as a library's `main` reads them.
typedef struct {
  int32_t type, padding;
  union {
    int64_t integer;
    void* pointer;
  } value;
} Any;
typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
} Tensor;
enum { kInteger = 1, kTensor = 7, kCpu = 1, kUnsigned = 1, kFloat = 2, kMost = 32 };

// What a library calls when an argument is not what it was compiled for.
void TVMFFIErrorSetRaisedFromCStrParts(const char* kind, const char** parts, int32_t count) {
  fprintf(stderr, "%s: ", kind);
  for (int32_t i = 0; i < count; ++i) fputs(parts[i] ? parts[i] : "", stderr);
  fputc('\n', stderr);
}

static void* Aligned(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

static size_t Floats(Tensor* tensor, const char* text) {
  size_t count = 1;
  tensor->shape = malloc(8 * sizeof(int64_t));
  for (char* end = NULL; tensor->ndim < 8; text = end + 1) {
    count *= (size_t)(tensor->shape[tensor->ndim++] = strtol(text, &end, 10));
    if (*end == 0) break;
  }
  tensor->code = kFloat, tensor->bits = 32, tensor->lanes = 1, tensor->device_type = kCpu;
  tensor->data = Aligned(count * sizeof(float));
  return count;
}

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  void* library = dlopen(argv[1], RTLD_NOW);
  int (*run)(void*, Any*, int32_t, Any*) = library ? dlsym(library, "__tvm_ffi_main") : NULL;
  if (!run) return fprintf(stderr, "%s\n", dlerror()), 1;
  static Tensor tensors[kMost];
  size_t counts[kMost];
  Any arguments[kMost + 3] = {{kInteger, 0, {0}}, {kInteger, 0, {atol(argv[3])}}};
  int count = 0;
  for (int at = 4; at + 1 < argc && count < kMost - 1; at += 2, ++count) {
    counts[count] = Floats(&tensors[count], argv[at + 1]);
    arguments[count + 2] = (Any){kTensor, 0, {.pointer = &tensors[count]}};
  }
  int64_t arena_bytes = atol(argv[2]);
  tensors[count] = (Tensor){.data = Aligned((size_t)arena_bytes), .device_type = kCpu, .ndim = 1, .code = kUnsigned,
                            .bits = 8, .lanes = 1, .shape = &arena_bytes};
  arguments[count + 2] = (Any){kTensor, 0, {.pointer = &tensors[count]}};
  FILE* file = fopen(argv[4], "rb");
  if (!file || fread(tensors[0].data, sizeof(float), counts[0], file) != counts[0]) return 1;
  fclose(file);
  Any result = {0};
  if (run(NULL, arguments, count + 3, &result) != 0) return 1;
  for (int i = 1; i < count; ++i) {
    file = fopen(argv[4 + 2 * i], "wb");
    if (!file || fwrite(tensors[i].data, sizeof(float), counts[i], file) != counts[i]) return 1;
    fclose(file);
  }
  return 0;
}
