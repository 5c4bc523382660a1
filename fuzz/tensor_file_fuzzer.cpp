// Weights of other programs. The first bytes tell safetensors, PyTorch's zip files and pickles; what begins with '{' is
// read as the manifest of a plain layout with 64 bytes of numbers.
#include "fuzz_target.h"
#include "models/pretrained/pretrained.h"
#include "models/pretrained/tensor_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  folder.Write("weights.bin", std::string(64, '\0'));
  const bool manifest = size > 0 && data[0] == '{';
  const hot::fs::path file = folder.Write(manifest ? "manifest.json" : "weights", hot::AsText(data, size));
  hot::MayThrowError([&] {
    for (const auto& [name, tensor] : hot::ReadTensorFile(file).tensors) {
      int64_t elements = 1;
      for (const int64_t side : tensor.shape) elements *= side;
      HOT_ASSERT(static_cast<size_t>(elements) == tensor.data.size());
    }
  });
  hot::MayThrowError([&] { hot::ReadPretrained(file, hot::FindBackbone("mobilenet_v2")); });
  return 0;
}
