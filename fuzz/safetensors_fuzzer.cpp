// Weights in the safetensors format. What was read is written and read again: the same tensors.
#include "fuzz_target.h"
#include "graph/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const hot::fs::path file = folder.Write("w.safetensors", hot::AsText(data, size));
  hot::MayThrowError([&] {
    const hot::Weights weights = hot::ReadSafetensors(file);
    hot::WriteSafetensors(folder.path() / "again.safetensors", weights);
    const hot::Weights again = hot::ReadSafetensors(folder.path() / "again.safetensors");
    HOT_ASSERT(again.size() == weights.size());
    for (const auto& [name, tensor] : weights) HOT_ASSERT(again.at(name).shape == tensor.shape);
  });
  return 0;
}
