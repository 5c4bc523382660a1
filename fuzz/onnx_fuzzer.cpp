// Networks that other programs wrote. What is read is one that its weights fit, and finding slots in it, and a backbone
// in that, refuse what they can't do.
#include "deploy/onnx_reader/onnx_reader.h"
#include "fuzz_target.h"
#include "models/imported/find_slots.h"
#include "models/imported/imported_backbone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  folder.Write("weights.data", std::string(64, '\0'));
  hot::MayThrowError([&] {
    const hot::OnnxNetwork read = hot::ParseOnnx(hot::AsText(data, size), folder.path(), "model.onnx");
    hot::CheckWeights(read.network.graph, read.network.weights, "model.onnx");
    const hot::SlottedNetwork slotted = hot::FindSlots(read.network, "model.onnx");
    hot::ImportedBackbone(slotted.network.graph, "import:model");
  });
  return 0;
}
